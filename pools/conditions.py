"""What may keep a pool from having its pods: what each condition means, and what to do about it.

Pages, tasks, `manage.py doctor` and docs/kubernetes.md say it from here; what the cluster said stands beside it.
"""

from dataclasses import dataclass
from enum import StrEnum

from pools.models import Pool, PoolStatus


class Condition(StrEnum):
    """Machine names, the same as those of the wait reasons that they give tasks."""

    CLUSTER_UNREACHABLE = "cluster_unreachable"
    CLUSTER_FORBIDDEN = "cluster_forbidden"
    QUOTA_EXCEEDED = "quota_exceeded"
    POD_UNSCHEDULABLE = "pod_unschedulable"
    IMAGE_PULL_FAILED = "image_pull_failed"
    POD_FAILED = "pod_failed"
    AGENT_NEVER_CONNECTED = "agent_never_connected"


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A condition in words, each a whole sentence or more."""

    means: str
    remedy: str


MEANINGS: dict[str, Meaning] = {
    Condition.CLUSTER_UNREACHABLE: Meaning(
        means="The cluster's API server does not answer, or its answer is broken.",
        remedy="See that the API server runs, that the platform's worker reaches the address in the kubeconfig, and "
        "that its certificate is valid. Check, on the K8s config's page, says which step fails.",
    ),
    Condition.CLUSTER_FORBIDDEN: Meaning(
        means="The cluster refuses the platform's account.",
        remedy="Give the account the Role of deploy/kubernetes/rbac.yaml in the namespace, or store a kubeconfig whose "
        "credentials are valid. Check, on the K8s config's page, says which permission is missing.",
    ),
    Condition.QUOTA_EXCEEDED: Meaning(
        means="A quota of the namespace leaves no room for another pod.",
        remedy="Raise the quota, lower the requests in the K8s config, or lower the pool's maximum.",
    ),
    Condition.POD_UNSCHEDULABLE: Meaning(
        means="No node takes the pod.",
        remedy="Add a node with room, or change requests, node selector or tolerations in the K8s config.",
    ),
    Condition.IMAGE_PULL_FAILED: Meaning(
        means="The pod's container does not start, because its node cannot get the image.",
        remedy="Correct the image or its pull secrets in the K8s config, or push the image.",
    ),
    Condition.POD_FAILED: Meaning(
        means="Pods are refused, do not start, fall silent, or end without having been asked to.",
        remedy="Read the cluster's words and the pod's log: correct the K8s config where the cluster refuses a part of "
        "it or the agent ended at once, raise the memory limit where it ran out of memory, see to a silent node.",
    ),
    Condition.AGENT_NEVER_CONNECTED: Meaning(
        means="The pod runs, and its agent has not connected to the platform in time.",
        remedy="Read the pod's log. Pods have to reach the address in IACPLATFORM_URL, and no network policy may stand "
        "between; the image has to hold an agent of this release.",
    ),
}


def meaning(code: str) -> Meaning:
    """Return what the condition means; of a code that is none, that nothing more is known."""
    return MEANINGS.get(code, Meaning(means="The pool cannot have its pods.", remedy="Read the words beside it."))


def of(pool: Pool) -> PoolStatus | None:
    """Return the pool's status where it has a condition. `pool`: read with its status, or it is asked for."""
    status: PoolStatus | None = getattr(pool, "status", None)
    return status if status is not None and status.condition_code else None
