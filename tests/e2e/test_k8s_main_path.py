"""Kubernetes mode from end to end: a pod starts an agent, which connects, plans and applies with real terraform."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cluster.api import Object
from tests.e2e.configurations import Gated, trivial
from tests.e2e.pod_crew import PodCrew
from tests.e2e.work import Task, Workspace
from tests.waiting import until

pytestmark = pytest.mark.cluster

PINS = ("cluster-autoscaler.kubernetes.io/safe-to-evict", "karpenter.sh/do-not-disrupt")


def pins(pod: Object) -> tuple[str | None, str | None]:
    """Return what the pod's annotations say to those who might remove its node."""
    annotations = pod["metadata"].get("annotations") or {}
    return annotations.get(PINS[0]), annotations.get(PINS[1])


def started_at_once(spaces: Sequence[Workspace]) -> list[Task]:
    """Return a new task of each workspace; they are asked for at the same moment."""
    with ThreadPoolExecutor(len(spaces)) as people:
        return list(people.map(Workspace.task, spaces))


def test_a_pod_comes_plans_applies_and_goes(pods: PodCrew) -> None:
    task = pods.workspace(trivial()).task()
    assert task.row()["wait_reason"]["code"] in {"no_connected_agent", "pod_starting"}
    planned = task.until("apply_pending")
    (name,) = pods.until_pods(1)
    assert (planned["execution_mode"], planned["pod_name"]) == ("k8s", name)
    assert pods.agents()[0]["pod_name"] == name
    pods.cluster.until_pod(name, lambda pod: pins(pod) == ("false", "true"))

    told = task.confirm()["dispatch"]
    assert (told["outcome"], told["agent_id"]) == ("offered", planned["agent_id"])
    done = task.until("applied")
    assert (done["pod_name"], done["plan_digest"]) == (name, planned["plan_digest"])
    assert "Initializing" not in task.log("apply")
    pods.until_pods(0)
    until("its secret is gone", lambda: not pods.cluster.secrets(**{"iacplatform.io/pool": pods.pool_id}))
    (row,) = pods.rows()
    assert (row["phase"], row["trouble"]) == ("gone", "")
    assert "idle" in row["cause"]


def test_a_pod_that_holds_a_lease_stays_however_long_it_waits(pods: PodCrew) -> None:
    task = pods.workspace(trivial()).task()
    name = task.until("apply_pending")["pod_name"]
    looked = pods.looks()
    until("several looks have come by", lambda: pods.looks() > looked + 2)
    assert set(pods.pods()) == {name}
    task.do("discard")
    pods.until_pods(0)


def test_a_plan_that_waits_for_long_keeps_no_pod_and_is_applied_by_a_new_one(pods: PodCrew) -> None:
    pods.change(reservation_seconds=1)
    task = pods.workspace(trivial()).task()
    planned = task.until("apply_pending")
    pods.until_pods(0)
    assert task.row()["wait_reason"]["code"] == "reservation_lost"
    told = task.confirm()["dispatch"]
    assert (told["outcome"], told["wait_reason"]["code"]) == ("waiting", "no_connected_agent")
    done = task.until("applied")
    assert (done["plan_digest"], done["retry_count"]) == (planned["plan_digest"], 0)
    assert done["pod_name"] not in {"", planned["pod_name"]}


def test_two_workspaces_at_once_get_two_pods(pods: PodCrew, gated: Gated) -> None:
    """Incident 515: the demand fell when the first one started, and the second never got its pod."""
    pods.change(min_replicas=1)
    tasks = started_at_once([pods.workspace(gated.files, auto_apply=True) for _ in range(2)])
    running = [task.until_stage("applying") for task in tasks]
    assert len({row["pod_name"] for row in running}) == 2
    gated.open()
    for task in tasks:
        task.until("applied")
    pods.until_pods(1)
    assert pods.until_connected(1)


def test_ten_workspaces_share_pods_of_three_slots(pods: PodCrew) -> None:
    pods.change(slots_per_pod=3, min_replicas=1, max_replicas=5)
    tasks = started_at_once([pods.workspace(trivial(f"number {number}"), auto_apply=True) for number in range(10)])
    done = [task.until("applied", seconds=240) for task in tasks]
    used = {row["pod_name"] for row in done}
    assert 2 <= len(used) <= 5
    assert {row["retry_count"] for row in done} == {0}
    pods.until_pods(1, seconds=150)
