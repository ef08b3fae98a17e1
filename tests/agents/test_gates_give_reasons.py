"""Each gate in its order; the dispatcher and `explain` go through the same list and say the same."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from agents import dispatcher, explain, gates
from agents.candidates import Candidate
from agents.capacity import Capacity
from iacplatform.base import clock
from pools.models import K8sConfig, Pool, PoolToken
from tasks.models import Task
from tests.agents.scenes import workspace_of
from tests.tasks import factories
from workspaces import locks, signals
from workspaces.models import StateLock

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = [
    "workspace_lock",
    "queue_position",
    "confirmation",
    "state_lock",
    "back_off",
    "pool_set",
    "pool_usable",
    "freeze_window",
    "agents_connected",
    "matching_agent",
    "free_slot",
]


def locked_before_it_began() -> Task:
    workspace = factories.workspace()
    locks.lock(workspace, by=factories.person(), reason="holidays")
    return factories.pending(workspace=workspace)


def locked_when_confirmed() -> Task:
    task = factories.confirmed()
    locks.lock(task.workspace, by=factories.person(), reason="holidays")
    return task


def second_in_its_queue() -> Task:
    first = factories.pending()
    return factories.pending(workspace=first.workspace)


def planned_for_an_older_state() -> Task:
    task = factories.stale()
    signals.announce(signals.state_changed, task.workspace_id)
    return task


def behind_somebody_elses_state_lock() -> Task:
    workspace = factories.workspace()
    StateLock.objects.create(workspace=workspace, lock_id="l-1", info={"Operation": "apply"}, holder="user:ann")
    return factories.pending(workspace=workspace)


def without_pool() -> Task:
    return factories.pending(workspace=factories.workspace(execution_mode="agent"))


def on_a_pool_of_no_pods() -> Task:
    return factories.pending(workspace=workspace_of(_pods(max_replicas=0)))


def on_a_frozen_pool() -> Task:
    now = clock.now()
    edges = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=1):%H:%M}"}
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return factories.pending(workspace=workspace_of(_pods(freeze_windows=[{"days": days, **edges, "timezone": "UTC"}])))


def on_a_pool_whose_agent_is_leaving() -> Task:
    factories.agent(connected=True, draining=True)
    return factories.pending()


def planned_by_another_version() -> Task:
    factories.agent(connected=True, engines=[{"name": "terraform", "version": "1.5.7"}])
    return factories.confirmed(on=factories.agent())


def where_everybody_is_busy() -> Task:
    busy = factories.agent(connected=True, capacity=1)
    factories.planning(on=busy)
    return factories.pending()


CASES: dict[Callable[[], Task], tuple[str, str]] = {
    locked_before_it_began: ("workspace_lock", "workspace_locked"),
    locked_when_confirmed: ("workspace_lock", "workspace_locked"),
    second_in_its_queue: ("queue_position", "queued_behind"),
    factories.awaiting_confirmation: ("confirmation", "awaiting_confirmation"),
    planned_for_an_older_state: ("confirmation", "plan_stale"),
    behind_somebody_elses_state_lock: ("state_lock", "state_locked"),
    factories.backing_off: ("back_off", "retry_backoff"),
    without_pool: ("pool_set", "pool_missing"),
    on_a_pool_of_no_pods: ("pool_usable", "pool_at_max"),
    on_a_frozen_pool: ("freeze_window", "pool_frozen"),
    factories.pending: ("agents_connected", "no_connected_agent"),
    on_a_pool_whose_agent_is_leaving: ("agents_connected", "no_connected_agent"),
    planned_by_another_version: ("matching_agent", "no_matching_agent"),
    where_everybody_is_busy: ("free_slot", "no_free_slot"),
}


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_the_row_says_what_the_gate_says(make: Callable[[], Task]) -> None:
    gate, code = CASES[make]
    task = factories.reread(make())
    assert task.reason_code == code
    answers = {answer["name"]: answer for answer in explain.explain(task)["gates"]}
    assert answers[gate]["result"] == "wait"
    assert answers[gate]["reason"]["code"] == code
    assert answers[gate]["reason"]["message"] == (task.reason or {})["message"]


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_gates_before_it_are_passed_and_those_after_it_not_reached(make: Callable[[], Task]) -> None:
    at = ORDER.index(CASES[make][0])
    results = [(answer["name"], answer["result"]) for answer in explain.explain(make())["gates"]]
    assert [name for name, _ in results] == ORDER
    assert [result for _, result in results] == ["pass"] * at + ["wait"] + ["not_reached"] * (len(ORDER) - at - 1)


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_another_pass_writes_nothing_new(make: Callable[[], Task]) -> None:
    task = factories.reread(make())
    for pool_id in Task.objects.filter(pk=task.pk).pool_ids():
        dispatcher.dispatch(pool_id, cause="test")
    assert factories.reread(task).next_check_at == task.next_check_at


def test_a_pool_of_pods_without_a_config_is_named() -> None:
    pool = Pool(name="pods", pool_type="k8s")  # no such row can be written: a CHECK refuses it
    candidate = Candidate(factories.pending(), Capacity(pool=pool, now=clock.now()))
    reason = gates.first_obstacle(candidate)
    assert reason is not None
    assert reason.code == "pool_has_no_config"


def test_a_plan_only_task_needs_neither_queue_nor_lock() -> None:
    task = behind_somebody_elses_state_lock()
    locks.lock(task.workspace, by=factories.person(), reason="holidays")
    plan = factories.pending(workspace=task.workspace, task_type="plan")
    assert factories.reread(plan).reason_code == "no_connected_agent"


def test_a_reason_names_the_numbers_that_were_seen() -> None:
    task = where_everybody_is_busy()
    assert (factories.reread(task).reason or {})["evidence"] == {"agents": 1, "slots": 1, "free": 0, "reserved": 0}


def test_a_frozen_pool_says_until_when() -> None:
    reason = factories.reread(on_a_frozen_pool()).reason
    assert reason is not None
    assert reason["evidence"]["until"][:10] in reason["message"]


def test_what_runs_has_passed_every_gate() -> None:
    answers = explain.explain(factories.planning())["gates"]
    assert {answer["result"] for answer in answers} == {"pass"}


@pytest.mark.parametrize("make", [factories.failed, factories.needing_attention])
def test_what_no_gate_can_move_has_reached_none(make: Callable[[], Task]) -> None:
    answers = explain.explain(make())["gates"]
    assert {answer["result"] for answer in answers} == {"not_reached"}


def _pods(**columns: object) -> Pool:
    config = K8sConfig.objects.create(name="cluster-1", in_cluster=True, namespace="default", image="agent:1")
    return Pool.objects.create(
        **{"name": "pods-1", "pool_type": "k8s", "k8s_config": config, "min_replicas": 0, **columns}
    )


def test_a_gate_shows_its_reason_as_the_task_does() -> None:
    task = factories.reread(where_everybody_is_busy())
    told = explain.explain(task)
    gate = next(answer for answer in told["gates"] if answer["result"] == "wait")
    assert gate["reason"].keys() == told["wait_reason"].keys()
    assert gate["reason"]["since"] == told["wait_reason"]["since"]
    assert gate["reason"]["deadline"] == told["wait_reason"]["deadline"]


def test_a_pool_that_lets_nobody_in_says_so() -> None:
    task = factories.pending()
    assert "no valid token" in (factories.reread(task).reason or {})["message"]
    PoolToken.issue(pool=Pool.objects.local())
    for pool_id in Task.objects.filter(pk=task.pk).pool_ids():
        dispatcher.dispatch(pool_id, cause="test")
    assert "no valid token" not in (factories.reread(task).reason or {})["message"]
