"""The reasons that pods and clusters give, over the rows that a look at a cluster writes.

What really writes them, and whether a cluster really says so, test_cluster_reasons.py shows with a real one.
"""

from collections.abc import Callable
from datetime import timedelta

from iacplatform.base import clock
from pools.conditions import Condition
from pools.models import Pod, PodPhase, Pool, PoolStatus
from tasks.models import Task
from tests import factories as rows
from tests.agents.scenes import pod, working_pod, workspace_of
from tests.reasons.scenes import OFFERED, SCENES, Scene
from tests.reasons.surroundings import Build, Cure, Surroundings
from tests.tasks import factories

WORDS = {
    Condition.POD_UNSCHEDULABLE: "0/3 nodes are available: 3 Insufficient cpu.",
    Condition.IMAGE_PULL_FAILED: 'ImagePullBackOff: Back-off pulling image "registry/agent:1"',
    Condition.POD_FAILED: "Failed: OOMKilled; exit code 137",
    Condition.AGENT_NEVER_CONNECTED: "It has run since 12:00:00 UTC, and its agent has not connected.",
    Condition.QUOTA_EXCEEDED: 'pods "iac-1" is forbidden: exceeded quota: team, requested: pods=1, used: pods=4',
    Condition.CLUSTER_UNREACHABLE: "connect to 10.0.0.1:6443 timed out",
    Condition.CLUSTER_FORBIDDEN: 'pods is forbidden: User "iac" cannot list resource "pods"',
}


def pool(**columns: object) -> Pool:
    """Return a pool of at most two pods that has none yet."""
    return rows.k8s_pool(**{"name": "pods-1", "min_replicas": 0, "max_replicas": 2, **columns})


def pool_of(task: Task) -> Pool:
    """Return the pool that the task runs on."""
    return Pool.objects.get(workspaces=task.workspace_id)


def _starting(around: Surroundings) -> Task:
    mine = pool()
    pod(mine, "iac-1")
    return around.create(workspace_of(mine))


def _its_agent_connects(around: Surroundings, task: Task) -> None:
    around.arrive(Pod.objects.get(name="iac-1"))


def _nothing_yet(around: Surroundings) -> Task:
    return around.create(workspace_of(pool()))


def _a_pod_comes(around: Surroundings, task: Task) -> None:
    around.arrive(pod(pool_of(task)))


def _busy(around: Surroundings, **columns: int) -> Task:
    mine = pool(**columns)
    working_pod(mine, "iac-1")
    factories.running(around.create(workspace_of(mine)))
    return around.create(workspace_of(mine))


def _at_its_maximum(around: Surroundings) -> Task:
    return _busy(around, max_replicas=1)


def _raise_the_maximum(around: Surroundings, task: Task) -> None:
    around.change(f"/pools/{pool_of(task).pk}", max_replicas=2)
    _a_pod_comes(around, task)


def _frozen(around: Surroundings) -> Task:
    now = clock.now()
    edges = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=1):%H:%M}"}
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    mine = pool(freeze_windows=[{"days": days, **edges, "timezone": "UTC"}])
    working_pod(mine)
    return around.create(workspace_of(mine))


def _unfreeze(around: Surroundings, task: Task) -> None:
    around.call(f"/pools/{pool_of(task).pk}/unfreeze")


def _kept_from_its_pods(code: Condition, *, is_of_a_pod: bool) -> Build:
    """Return what brings a pool into this condition, seen of a pod or at an answer of the cluster."""

    def build(around: Surroundings) -> Task:
        mine, now = pool(), clock.now()
        shown = {"condition_code": code, "condition_message": WORDS[code], "condition_since": now}
        PoolStatus.objects.create(pool=mine, condition_count=2, retry_at=now + timedelta(seconds=10), **shown)
        if is_of_a_pod:
            pod(mine, "iac-1", trouble=code, trouble_words=WORDS[code], trouble_since=now)
        return around.create(workspace_of(mine))

    return build


def _after(change: Callable[[Surroundings, Pool], None]) -> Cure:
    """Return what people change, and then the pod that comes because of it."""

    def cure(around: Surroundings, task: Task) -> None:
        mine = pool_of(task)
        change(around, mine)
        Pod.objects.filter(pool=mine).update(phase=PodPhase.GONE)
        PoolStatus.objects.filter(pool=mine).update(condition_code="", retry_at=None)
        around.arrive(pod(mine, "iac-2"))

    return cure


def _config(around: Surroundings, mine: Pool, **columns: object) -> None:
    around.change(f"/k8s-configs/{mine.k8s_config_id}", **columns)


def _in_the_cluster(around: Surroundings, mine: Pool) -> None:
    """Quota, nodes, rights, network: nothing that the platform could change."""


def _correct_the_image(around: Surroundings, mine: Pool) -> None:
    _config(around, mine, image="agent:2")


def _correct_the_command(around: Surroundings, mine: Pool) -> None:
    _config(around, mine, command=["python", "-m", "agents.runner"])


def _lower_the_requests(around: Surroundings, mine: Pool) -> None:
    _config(around, mine, resources={"requests": {"cpu": "100m"}})


def _condition(code: Condition, change: Callable[[Surroundings, Pool], None], *, of_a_pod: bool) -> Scene:
    build = _kept_from_its_pods(code, is_of_a_pod=of_a_pod)
    return Scene(code=code, turn="cluster", build=build, cure=_after(change), moved=OFFERED)


POD_SCENES = {
    "a pod starts": Scene(
        code="pod_starting", turn="machine", build=_starting, cure=_its_agent_connects, moved=OFFERED
    ),
    "a pod is asked for": Scene(
        code="no_connected_agent", turn="machine", build=_nothing_yet, cure=_a_pod_comes, moved=OFFERED
    ),
    "another pod is asked for": Scene(
        code="no_free_slot", turn="machine", build=_busy, cure=_a_pod_comes, moved=OFFERED
    ),
    "at its maximum": Scene(
        code="pool_at_max", turn="machine", build=_at_its_maximum, cure=_raise_the_maximum, moved=OFFERED
    ),
    "frozen, with pods": Scene(code="pool_frozen", turn="time", build=_frozen, cure=_unfreeze, moved=OFFERED),
    "no node": _condition(Condition.POD_UNSCHEDULABLE, _lower_the_requests, of_a_pod=True),
    "no image": _condition(Condition.IMAGE_PULL_FAILED, _correct_the_image, of_a_pod=True),
    "pods that end at once": _condition(Condition.POD_FAILED, _correct_the_command, of_a_pod=False),
    "an agent that never came": _condition(Condition.AGENT_NEVER_CONNECTED, _in_the_cluster, of_a_pod=True),
    "a quota": _condition(Condition.QUOTA_EXCEEDED, _lower_the_requests, of_a_pod=False),
    "a cluster that does not answer": _condition(Condition.CLUSTER_UNREACHABLE, _in_the_cluster, of_a_pod=False),
    "a cluster that refuses us": _condition(Condition.CLUSTER_FORBIDDEN, _in_the_cluster, of_a_pod=False),
}

ALL = {**SCENES, **POD_SCENES}
