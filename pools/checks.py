"""Whether a K8s config works, step by step: what was asked, what the cluster said, and what to do about it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings

from pools import pod_specs
from pools.kube import Cluster, ClusterError, Denied, QuotaExceeded, Throttled, Unreachable
from pools.models import K8sConfig

PERMISSIONS = (
    ("get", "namespaces"),
    ("list", "pods"),
    ("get", "pods"),
    ("create", "pods"),
    ("patch", "pods"),
    ("delete", "pods"),
    ("create", "secrets"),
    ("delete", "secrets"),
    ("list", "events"),
)
"""All that the platform ever does in a namespace, as in deploy/kubernetes/rbac.yaml."""

ROLE = "Apply deploy/kubernetes/rbac.yaml in this namespace, and use its service account in the kubeconfig."
_REMEDIES: tuple[tuple[type[ClusterError], str], ...] = (
    (Unreachable, "See that this server reaches the address of the kubeconfig, and that its certificates are right."),
    (Denied, f"Give the kubeconfig a token that is valid. {ROLE}"),
    (QuotaExceeded, "Raise the namespace's quota, or ask for less in the config's resources."),
    (Throttled, "Check again a little later: nothing is known to be wrong."),
    (ClusterError, "Change the part of this config that the cluster names."),
)
_UNKNOWN_TO_IT = 401
_OF_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - compared, not bound


@dataclass(frozen=True, kw_only=True)
class Step:
    """`words`: what was found, the cluster's own where it refused. `remedy`: what to do; empty: nothing."""

    name: str
    ok: bool
    words: str
    remedy: str = ""


def check(config: K8sConfig) -> list[Step]:
    """Return what was found, in order; it ends where the cluster no longer answers.

    At most a dozen calls, which a person waits for. Never from the event loop, never within a transaction.
    """
    try:
        with Cluster(config, urgent=True) as cluster:
            return list(_steps(cluster, config))
    except ClusterError as error:
        return [_failed("reachable", error)]


def passed(steps: list[Step]) -> bool:
    """Return whether all of them are right."""
    return all(step.ok for step in steps)


def _steps(cluster: Cluster, config: K8sConfig) -> Iterator[Step]:
    """Yield the steps up to the first whose failure leaves nothing more to ask."""
    for name, look in _LOOKS:
        try:
            yield look(cluster, config)
        except ClusterError as error:
            yield _failed(name, error)
            if isinstance(error, Unreachable | Throttled) or error.status == _UNKNOWN_TO_IT:
                return


def _failed(name: str, error: ClusterError) -> Step:
    remedy = next(remedy for kind, remedy in _REMEDIES if isinstance(error, kind))
    return Step(name=name, ok=False, words=error.words, remedy=remedy)


def _reachable(cluster: Cluster, config: K8sConfig) -> Step:
    where = config.server or "the cluster that this server runs in"
    with suppress(Denied):
        cluster.version()
    return Step(name="reachable", ok=True, words=f"It answers at {where}.")


def _version(cluster: Cluster, config: K8sConfig) -> Step:
    return Step(name="version", ok=True, words=f"It runs Kubernetes {cluster.version()}.")


def _namespace(cluster: Cluster, config: K8sConfig) -> Step:
    try:
        is_there = cluster.namespace_exists()
    except Denied as error:
        if error.status == _UNKNOWN_TO_IT:
            raise
        return Step(name="namespace", ok=True, words="We may not look at it; see the pod below.")
    if is_there:
        return Step(name="namespace", ok=True, words=f"{config.namespace} is there.")
    remedy = "Make the namespace, as deploy/kubernetes/namespace.yaml does, or name another one."
    return Step(name="namespace", ok=False, words=f"There is no namespace {config.namespace}.", remedy=remedy)


def _permission(verb: str, resource: str, cluster: Cluster, config: K8sConfig) -> Step:
    may = cluster.may(verb, resource)
    words = f"We may {'' if may else 'not '}{verb} {resource} in {config.namespace}."
    return Step(name=f"{verb} {resource}", ok=may, words=words, remedy="" if may else ROLE)


def _pod(cluster: Cluster, config: K8sConfig) -> Step:
    cluster.dry_run(pod_specs.sample(config))
    return Step(name="pod", ok=True, words="It would take a pod of this config.")


def _address(cluster: Cluster, config: K8sConfig) -> Step:
    ours = settings.PUBLIC_URL
    near = urlsplit(ours).hostname in _OF_THIS_MACHINE
    remedy = "Only this machine reaches it: set IACPLATFORM_URL to an address that pods reach." if near else ""
    return Step(name="address", ok=True, words=f"The agents in the pods will call {ours}.", remedy=remedy)


_LOOKS: tuple[tuple[str, Callable[[Cluster, K8sConfig], Step]], ...] = (
    ("reachable", _reachable),
    ("version", _version),
    ("namespace", _namespace),
    *((f"{verb} {resource}", partial(_permission, verb, resource)) for verb, resource in PERMISSIONS),
    ("pod", _pod),
    ("address", _address),
)
