"""The one door to a cluster: what we ask of it, and its answers in our words.

Never called from the event loop, which it would block, and never within a transaction, which it would keep open.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from pools import sightings
from pools.calls import LOOK_SECONDS, Calls
from pools.errors import (
    ClusterError,
    Denied,
    NameTaken,
    QuotaExceeded,
    Refused,
    Replaced,
    Throttled,
    TimeUp,
    Unreachable,
)
from pools.models import K8sConfig
from pools.sightings import SeenPod
from pools.wire import Object

__all__ = [
    "LOOK_SECONDS",
    "Cluster",
    "ClusterError",
    "Denied",
    "NameTaken",
    "QuotaExceeded",
    "Refused",
    "Replaced",
    "SeenPod",
    "Throttled",
    "TimeUp",
    "Unreachable",
]

_EXPIRED = 410  # the list that later pages belong to is too old
_MERGE = "application/merge-patch+json"
_STRICT = {"fieldValidation": "Strict"}
_REVIEW = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}


class Cluster:
    """The namespace of a config, for one look of `LOOK_SECONDS`: use it as a context manager, or close it.

    Every method raises `ClusterError`; which one says what to do about it. `urgent`: a person waits for the answer, so
    that our back-off after failures does not count; what the cluster itself asked for does. Raises `Unreachable` where
    the config leads nowhere.
    """

    def __init__(self, config: K8sConfig, *, urgent: bool = False) -> None:
        self._namespace = config.namespace
        self._objects = f"/api/v1/namespaces/{config.namespace}"
        self._calls = Calls(config, urgent=urgent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections."""
        self._calls.close()

    def version(self) -> str:
        """Return the version of the cluster, such as v1.34.2."""
        return str(self._calls.done("GET", "/version").get("gitVersion") or "unknown")

    def namespace_exists(self) -> bool:
        """Return whether the cluster has the namespace."""
        return self._calls.found("namespaces", "GET", self._objects) is not None

    def may(self, verb: str, resource: str) -> bool:
        """Return whether we may do this in the namespace, such as create pods."""
        asked = {"namespace": self._namespace, "verb": verb, "resource": resource}
        review = {**_REVIEW, "spec": {"resourceAttributes": asked}}
        answer = self._calls.done("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=review)
        status = answer.get("status")
        return isinstance(status, dict) and status.get("allowed") is True

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
            return _seen(self._calls.done("POST", f"{self._objects}/pods", body=manifest, query=_STRICT))
        except NameTaken as taken:
            there = self._calls.found("pods", "GET", f"{self._objects}/pods/{manifest['metadata']['name']}")
            if there is None:
                raise Unreachable("It said that the pod exists, and then that it does not.", taken.status) from taken
            return _same(_seen(there), manifest, taken)

    def dry_run(self, manifest: Object) -> None:
        """Have the cluster judge a pod, its admission checks included, without making it."""
        self._calls.done("POST", f"{self._objects}/pods", body=manifest, query={**_STRICT, "dryRun": "All"})

    def delete_pod(self, name: str, uid: str, grace_seconds: int | None = None) -> bool:
        """Ask for the pod's end; return False where it is gone already. `grace_seconds` None: as the pod says.

        Raises `Replaced` where another pod bears the name: it is left alone.
        """
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        return self._calls.found("pods", "DELETE", f"{self._objects}/pods/{name}", body=options) is not None

    def create_secret(self, manifest: Object) -> None:
        """Make a secret. Raises `NameTaken` where there is one: what it holds we may not read."""
        self._calls.done("POST", f"{self._objects}/secrets", body=manifest, hidden=manifest["stringData"].values())

    def delete_secret(self, name: str) -> bool:
        """Delete a secret; return False where there is none."""
        return self._calls.found("secrets", "DELETE", f"{self._objects}/secrets/{name}") is not None

    def annotate(self, name: str, uid: str, annotations: Mapping[str, str | None]) -> bool:
        """Write annotations of a pod, None takes one away; return False where the pod is gone.

        Raises `Replaced` where another pod bears the name: it is left alone.
        """
        change: Object = {"metadata": {"uid": uid, "annotations": dict(annotations)}}
        try:
            return (
                self._calls.found("pods", "PATCH", f"{self._objects}/pods/{name}", body=change, kind=_MERGE) is not None
            )
        except Refused as error:
            if "metadata.uid" in error.words:
                raise Replaced(error.words, error.status) from error
            raise

    def events(self, pod_name: str) -> list[str]:
        """Return the cluster's warnings about a pod, the newest first, in its own words."""
        about = f"involvedObject.kind=Pod,involvedObject.name={pod_name},type=Warning"
        found = self._calls.items(f"{self._objects}/events", "EventList", {"fieldSelector": about})
        return [words for _, words in sorted(map(_event, found), reverse=True)]

    def _listed(self) -> list[SeenPod]:
        selected = {"labelSelector": f"{sightings.MANAGED_BY}={sightings.PLATFORM}"}
        found = [_seen(item) for item in self._calls.items(f"{self._objects}/pods", "PodList", selected)]
        return [pod for pod in found if pod.is_ours]


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


def _event(item: Any) -> tuple[str, str]:
    """Return when it happened, as the API writes times, and what."""
    try:
        at = item.get("lastTimestamp") or item.get("eventTime") or item["metadata"]["creationTimestamp"]
        return str(at), f"{item.get('reason') or 'Warning'}: {item.get('message') or ''}"
    except (KeyError, TypeError, AttributeError) as error:
        raise Unreachable("It answered with something that should be an event and is none.") from error
