"""The one door to a cluster: what we ask of it, and its answers in our words.

Never called from the event loop, which it would block, and never within a transaction, which it would keep open.
Each call is taken from the cluster's budget first.
"""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from pools import access, budgets, refusals, sightings
from pools.errors import ClusterError, Denied, NameTaken, QuotaExceeded, Refused, Replaced, Throttled, Unreachable
from pools.models import K8sConfig
from pools.sightings import SeenPod
from pools.wire import Answer, Object, Wire

__all__ = [
    "Cluster",
    "ClusterError",
    "Denied",
    "NameTaken",
    "QuotaExceeded",
    "Refused",
    "Replaced",
    "SeenPod",
    "Throttled",
    "Unreachable",
]

PAGE = 500
"""Pods in one answer."""

_EXPIRED = 410  # the list that later pages belong to is too old
_MERGE = "application/merge-patch+json"
_STRICT = {"fieldValidation": "Strict"}
_REVIEW = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}


class Cluster:
    """The namespace of a config, for one look: use it as a context manager, or close it.

    Every method raises `ClusterError`; which one says what to do about it. `urgent`: a person waits for the answer, so
    that a back-off after failures does not count. Raises `Unreachable` where the config leads nowhere.
    """

    def __init__(self, config: K8sConfig, *, urgent: bool = False) -> None:
        self._config, self._urgent = config, urgent
        self._objects = f"/api/v1/namespaces/{config.namespace}"
        self._wire = Wire(access.of(config))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections."""
        self._wire.close()

    def version(self) -> str:
        """Return the version of the cluster, such as v1.34.2."""
        return str(self._done("GET", "/version").get("gitVersion") or "unknown")

    def namespace_exists(self) -> bool:
        """Return whether the cluster has the namespace."""
        return self._found("namespaces", "GET", self._objects) is not None

    def may(self, verb: str, resource: str) -> bool:
        """Return whether we may do this in the namespace, such as create pods."""
        asked = {"namespace": self._config.namespace, "verb": verb, "resource": resource}
        review = {**_REVIEW, "spec": {"resourceAttributes": asked}}
        answer = self._done("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=review)
        return bool((answer.get("status") or {}).get("allowed"))

    def pods(self) -> list[SeenPod]:
        """Return all pods of ours in the namespace; anything less than all of them is an error."""
        try:
            return self._listed()
        except Unreachable as error:
            if error.status != _EXPIRED:
                raise
        return self._listed()

    def create_pod(self, manifest: Object) -> SeenPod:
        """Return the pod that is there now; one of the same row that was there already is as good.

        Raises `NameTaken` where another one bears the name.
        """
        try:
            return _seen(self._done("POST", f"{self._objects}/pods", body=manifest, query=_STRICT))
        except NameTaken as taken:
            there = self._found("pods", "GET", f"{self._objects}/pods/{manifest['metadata']['name']}")
            if there is None:
                raise Unreachable("It said that the pod exists, and then that it does not.", taken.status) from taken
            return _same(_seen(there), manifest, taken)

    def dry_run(self, manifest: Object) -> None:
        """Have the cluster judge a pod, its admission checks included, without making it."""
        self._done("POST", f"{self._objects}/pods", body=manifest, query={**_STRICT, "dryRun": "All"})

    def delete_pod(self, name: str, uid: str, grace_seconds: int | None = None) -> bool:
        """Ask for the pod's end; return False where it is gone already. `grace_seconds` None: as the pod says.

        Raises `Replaced` where another pod bears the name: it is left alone.
        """
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        return self._found("pods", "DELETE", f"{self._objects}/pods/{name}", body=options) is not None

    def create_secret(self, manifest: Object) -> None:
        """Make a secret. Raises `NameTaken` where there is one: what it holds we may not read."""
        self._done("POST", f"{self._objects}/secrets", body=manifest, hidden=manifest["stringData"].values())

    def delete_secret(self, name: str) -> bool:
        """Delete a secret; return False where there is none."""
        return self._found("secrets", "DELETE", f"{self._objects}/secrets/{name}") is not None

    def annotate(self, name: str, uid: str, annotations: Mapping[str, str | None]) -> bool:
        """Write annotations of a pod, None takes one away; return False where the pod is gone.

        Raises `Replaced` where another pod bears the name: it is left alone.
        """
        change: Object = {"metadata": {"uid": uid, "annotations": dict(annotations)}}
        try:
            return self._found("pods", "PATCH", f"{self._objects}/pods/{name}", body=change, kind=_MERGE) is not None
        except Refused as error:
            if "metadata.uid" in error.words:
                raise Replaced(error.words, error.status) from error
            raise

    def events(self, pod_name: str) -> list[str]:
        """Return the cluster's warnings about a pod, the newest first, in its own words."""
        about = f"involvedObject.kind=Pod,involvedObject.name={pod_name},type=Warning"
        found = self._done("GET", f"{self._objects}/events", query={"fieldSelector": about, "limit": "100"})
        newest_first = sorted((_event(item) for item in found.get("items") or []), reverse=True)
        return [words for _, words in newest_first]

    def _listed(self) -> list[SeenPod]:
        selected = {"labelSelector": f"{sightings.MANAGED_BY}={sightings.PLATFORM}", "limit": str(PAGE)}
        found = [_seen(item) for page in self._pages(f"{self._objects}/pods", selected) for item in page["items"]]
        return [pod for pod in found if pod.is_ours]

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[Object]:
        token = ""
        while True:
            page = self._done("GET", path, query={**query, "continue": token} if token else query)
            token = _next_page(page)
            yield page
            if not token:
                return

    def _done(self, method: str, path: str, **request: Any) -> Object:
        answer = self._ask(method, path, **request)
        if not answer.is_success:
            raise refusals.error(answer)
        return answer.content

    def _found(self, resource: str, method: str, path: str, **request: Any) -> Object | None:
        """Return the object, or None where the cluster says that it has none of this name."""
        answer = self._ask(method, path, **request)
        if answer.status == 404 and answer.reason == "NotFound" and answer.detail("kind") == resource:
            return None
        if not answer.is_success:
            raise refusals.error(answer)
        return answer.content

    def _ask(self, method: str, path: str, **request: Any) -> Answer:
        budgets.take(self._config.pk, urgent=self._urgent)
        answer = self._wire.ask(method, path, **request)
        wait = refusals.retry_after(answer)
        if wait and not answer.is_success:
            budgets.hold(self._config.pk, wait)
        return answer


def _seen(item: Any) -> SeenPod:
    try:
        return sightings.seen(item)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreachable("It answered with something that should be a pod and is none.") from error


def _same(there: SeenPod, manifest: Object, taken: NameTaken) -> SeenPod:
    """Return the pod that is there if it was made from the same row."""
    labels = manifest["metadata"]["labels"]
    if there.is_ours and there.row == labels[sightings.ROW] and there.pool_id == labels[sightings.POOL]:
        return there
    raise taken


def _next_page(page: Object) -> str:
    """Return what to ask the next page with, or raise `Unreachable` where this is not a whole page."""
    metadata, items = page.get("metadata"), page.get("items")
    if page.get("kind") != "PodList" or not isinstance(metadata, dict) or not isinstance(items, list):
        raise Unreachable("It answered with something that should be a list of pods and is none.")
    token = metadata.get("continue") or ""
    if metadata.get("remainingItemCount") and not token:
        raise Unreachable("It answered with a part of its list of pods, and without a way to the rest.")
    return str(token)


def _event(item: Any) -> tuple[str, str]:
    """Return when it happened, as the API writes times, and what."""
    try:
        at = item.get("lastTimestamp") or item.get("eventTime") or item["metadata"]["creationTimestamp"]
        return str(at), f"{item.get('reason') or 'Warning'}: {item.get('message') or ''}"
    except (KeyError, TypeError, AttributeError) as error:
        raise Unreachable("It answered with something that should be an event and is none.") from error
