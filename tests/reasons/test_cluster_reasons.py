"""Each reason that a cluster gives, brought about in a real one: true after one look at it, and its remedy helps."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from iacplatform.base import clock
from pools.models import Pod, PoolStatus
from tasks.models import Task
from tests.agents.scenes import workspace_of
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer, Hang, Reset
from tests.cluster.pods import is_running
from tests.reasons.fleets import Fleet
from tests.reasons.surroundings import Surroundings
from tests.reasons.test_every_reason_is_seen_and_cured import assert_that_gates_agree, seen_everywhere
from tests.tasks import factories

pytestmark = pytest.mark.cluster

NewFleet = Callable[..., Fleet]


@pytest.fixture
def fleet_of(around: Surroundings, cluster: Cluster) -> NewFleet:
    """Return a function that makes the one pool of the test; it takes the pool's columns."""
    return lambda **columns: Fleet.of(around, cluster, **columns)


@pytest.fixture
def fleet(fleet_of: NewFleet) -> Fleet:
    """Return a pool of at most one pod, without any."""
    return fleet_of()


def why(fleet: Fleet, task: Task, code: str, turn: str = "cluster") -> dict[str, Any]:
    """Return the reason, after it was seen the same in API, explanation and page."""
    reason = seen_everywhere(fleet.around, task)
    assert (reason["code"], reason["turn"]) == (code, turn), reason
    assert_that_gates_agree(fleet.around, task)
    return reason


def is_offered(task: Task) -> bool:
    return factories.reread(task).lease == "offered"


def arrive(fleet: Fleet, task: Task) -> None:
    """Let the agent of the newest pod connect, once its container runs; the task must be offered to it."""
    fleet.until_seen(is_running)
    fleet.around.arrive(fleet.pod)
    assert is_offered(task)
    assert factories.reread(task).pod_name == fleet.pod.name


def is_unschedulable(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each.get("reason") == "Unschedulable" for each in conditions)


def waits_for_image(pod: dict[str, Any]) -> bool:
    states = [status["state"] for status in pod["status"].get("containerStatuses", [])]
    return any("Pull" in state.get("waiting", {}).get("reason", "") for state in states)


def has_failed(pod: dict[str, Any]) -> bool:
    return bool(pod["status"]["phase"] == "Failed")


def test_a_pod_is_asked_for_and_starts(fleet: Fleet) -> None:
    task = fleet.task()
    why(fleet, task, "no_connected_agent", "machine")
    fleet.look()
    reason = why(fleet, task, "pod_starting", "machine")
    assert reason["blocker"] == {"kind": "pod", "id": fleet.pod.name}
    assert fleet.cluster.pod(fleet.pod.name)
    arrive(fleet, task)


def test_no_node_has_room_until_one_is_added(fleet: Fleet) -> None:
    fleet.change(resources={"requests": {"cpu": "12"}})
    task = fleet.task()
    fleet.look()
    words = _unschedulable_words(fleet.until_seen(is_unschedulable))
    fleet.look()
    assert f'"{words}"' in why(fleet, task, "pod_unschedulable")["message"]
    assert "Insufficient cpu" in words
    fleet.cluster.another_node(cpu="16")
    arrive(fleet, task)
    fleet.look()
    assert not PoolStatus.objects.get(pool=fleet.pool).condition_code


def test_or_until_the_pod_asks_for_less(fleet: Fleet) -> None:
    fleet.change(resources={"requests": {"cpu": "12"}})
    task = fleet.task()
    fleet.look()
    fleet.until_seen(is_unschedulable)
    fleet.look()
    why(fleet, task, "pod_unschedulable")
    old = fleet.pod
    fleet.change(resources={"requests": {"cpu": "1"}})
    fleet.until_replaced(old)
    arrive(fleet, task)


def test_an_image_that_is_missing_until_it_is_corrected(fleet: Fleet) -> None:
    fleet.change(image="missing/agent:1")
    task = fleet.task()
    fleet.look()
    fleet.until_seen(waits_for_image)
    fleet.look()
    reason = why(fleet, task, "image_pull_failed")
    assert "missing/agent:1" in reason["message"]
    assert fleet.pod.name in reason["message"]
    old = fleet.pod
    fleet.change(image="silent/agent:2")
    fleet.until_replaced(old)
    arrive(fleet, task)


def test_or_until_it_is_pushed(fleet: Fleet) -> None:
    fleet.change(image="missing/agent:1", command=["python", "-c", "import signal; signal.pause()"])
    task = fleet.task()
    fleet.look()
    fleet.until_seen(waits_for_image)
    fleet.look()
    why(fleet, task, "image_pull_failed")
    fleet.cluster.node.publish("missing/agent:1")
    arrive(fleet, task)


def test_a_pod_that_ends_at_once(fleet: Fleet) -> None:
    fleet.change(image="crash/agent:1")
    task = fleet.task()
    fleet.look()
    fleet.until_seen(has_failed)
    fleet.look()
    reason = why(fleet, task, "pod_failed")
    assert "exit code 1" in reason["message"]
    assert "the agent has crashed" in reason["message"]
    assert reason["evidence"]["times"] == 1
    old = Pod.objects.earliest("-created_at")
    fleet.change(image="silent/agent:1")
    fleet.until_replaced(old)
    arrive(fleet, task)


def test_an_agent_that_never_connects(fleet: Fleet) -> None:
    task = fleet.task()
    fleet.look()
    fleet.until_seen(is_running)
    fleet.look()
    old = fleet.pod
    fleet.around.later(301)
    fleet.look()
    reason = why(fleet, task, "agent_never_connected")
    assert "its agent has not connected" in reason["message"]
    fleet.around.later(6)
    fleet.until_replaced(old)
    arrive(fleet, task)


def test_a_quota_until_it_is_raised(fleet: Fleet) -> None:
    fleet.cluster.quota(pods=0)
    task = fleet.task()
    fleet.look()
    reason = why(fleet, task, "quota_exceeded")
    assert "exceeded quota: tests, requested: pods=1, used: pods=0, limited: pods=0" in reason["message"]
    fleet.cluster.lift_quota()
    fleet.around.press(task, "retry")
    fleet.look()
    why(fleet, task, "pod_starting", "machine")
    arrive(fleet, task)


@pytest.mark.parametrize(
    "fault", [Reset(), Answer(503, message="the server is busy"), Hang()], ids=["reset", "503", "hang"]
)
def test_a_cluster_that_does_not_answer(fleet: Fleet, fault: Any) -> None:
    rule = fleet.cluster.proxy.fault(fault, times=None)
    task = fleet.task()
    fleet.look()
    reason = why(fleet, task, "cluster_unreachable")
    assert "The cluster says" in reason["message"]
    assert not Pod.objects.exists()
    rule.remove()
    fleet.cluster.proxy.heal()
    fleet.around.press(task, "retry")
    fleet.look()
    why(fleet, task, "pod_starting", "machine")
    arrive(fleet, task)


@pytest.mark.own_control_plane
def test_a_cluster_whose_api_server_is_killed(fleet: Fleet, control_plane: ControlPlane) -> None:
    task = fleet.task()
    control_plane.api_server.kill()
    fleet.look()
    why(fleet, task, "cluster_unreachable")
    control_plane.api_server.start()
    control_plane.until_ready()
    fleet.around.press(task, "retry")
    fleet.look()
    why(fleet, task, "pod_starting", "machine")
    arrive(fleet, task)


def test_a_cluster_that_refuses_us(fleet: Fleet) -> None:
    fleet.cluster.forbid()
    task = fleet.task()
    fleet.look()
    reason = why(fleet, task, "cluster_forbidden")
    assert 'cannot list resource "pods"' in reason["message"]
    assert "deploy/kubernetes/rbac.yaml" in reason["remedy"]
    fleet.cluster.allow()
    fleet.around.press(task, "retry")
    fleet.look()
    why(fleet, task, "pod_starting", "machine")
    arrive(fleet, task)


def test_a_pool_at_its_maximum_until_that_is_raised(fleet: Fleet) -> None:
    first = fleet.task()
    fleet.look()
    arrive(fleet, first)
    factories.running(first)
    task = fleet.task()
    fleet.look()
    reason = why(fleet, task, "pool_at_max", "machine")
    assert (reason["evidence"]["pods"], reason["evidence"]["max_replicas"]) == (1, 1)
    fleet.around.change(f"/pools/{fleet.pool.pk}", max_replicas=2)
    fleet.look()
    arrive(fleet, task)


def test_a_pool_that_may_have_no_pods(fleet_of: NewFleet) -> None:
    fleet = fleet_of(max_replicas=0)
    task = fleet.task()
    fleet.look()
    why(fleet, task, "pool_at_max", "config")
    fleet.around.change(f"/pools/{fleet.pool.pk}", max_replicas=1)
    fleet.look()
    arrive(fleet, task)


def test_a_frozen_pool_until_somebody_unfreezes_it(fleet_of: NewFleet) -> None:
    now = clock.now()
    edges = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=1):%H:%M}"}
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    fleet = fleet_of(freeze_windows=[{"days": days, **edges, "timezone": "UTC"}], min_replicas=1)
    task = fleet.around.create(workspace_of(fleet.pool))
    fleet.look()
    why(fleet, task, "pool_frozen", "time")
    assert not Pod.objects.exists()
    fleet.around.call(f"/pools/{fleet.pool.pk}/unfreeze")
    fleet.look()
    arrive(fleet, task)


def _unschedulable_words(pod: dict[str, Any]) -> str:
    return next(str(each["message"]) for each in pod["status"]["conditions"] if each.get("reason") == "Unschedulable")
