"""What counts as work that needs a slot now, and which slots are there for it."""

from collections.abc import Callable

import pytest

from agents import dispatcher
from agents.fleet import demand
from agents.models import Agent
from iacplatform.base import clock
from pools.autoscaler import Demand
from pools.models import Pod, PodPhase, Pool
from tasks.models import Task
from tests.agents import scenes
from tests.fleet import pods
from tests.tasks import factories
from workspaces import locks
from workspaces.models import StateLock

pytestmark = pytest.mark.django_db


def of(pool: Pool) -> Demand:
    return demand.of([pool], clock.now())[pool.pk]


def test_two_tasks_that_found_no_slot_are_two() -> None:
    pool = pods.pool()
    pods.pending(pool), pods.pending(pool)
    assert of(pool) == Demand(queued=2)


def test_a_task_that_is_offered_or_runs_pins_its_pod_and_is_not_counted_again() -> None:
    pool = pods.pool(slots_per_pod=3)
    agent = pods.agent(pods.served(pool))
    factories.offered(pods.pending(pool), on=agent)
    assert of(pool) == Demand(pinned=1, free=2, queued=0)
    factories.running(pods.pending(pool), on=agent)
    assert of(pool) == Demand(pinned=1, free=1, queued=0)


def test_a_slot_that_is_kept_pins_its_pod_and_its_task_waits_for_a_person() -> None:
    pool = pods.pool()
    factories.awaiting_confirmation(workspace=scenes.workspace_of(pool), on=pods.agent(pods.served(pool)))
    assert of(pool) == Demand(pinned=1)


def test_a_plan_that_waits_for_its_reader_without_a_slot_needs_none() -> None:
    """HCP's operator kept pods for those."""
    pool = pods.pool()
    task = factories.awaiting_confirmation(workspace=scenes.workspace_of(pool), on=pods.agent(pods.served(pool)))
    factories.lose(task)
    assert of(pool) == Demand()


def test_a_task_behind_another_one_of_its_workspace_needs_none_yet() -> None:
    pool = pods.pool()
    first = pods.pending(pool)
    factories.pending(workspace=first.workspace)
    assert of(pool) == Demand(queued=1)


def behind_a_workspace_lock(pool: Pool) -> Task:
    task = factories.confirmed(workspace=scenes.workspace_of(pool), on=factories.agent())
    factories.lose(task)
    locks.lock(task.workspace, by=factories.person(), reason="Hands off.")
    return task


def behind_a_state_lock(pool: Pool) -> Task:
    task = pods.pending(pool)
    StateLock.objects.create(workspace=task.workspace, lock_id="theirs", info={}, holder="user:bob")
    return task


def backing_off(pool: Pool) -> Task:
    return factories.backing_off(workspace=scenes.workspace_of(pool), on=factories.agent())


@pytest.mark.parametrize("make", [behind_a_workspace_lock, behind_a_state_lock, backing_off])
def test_a_task_that_a_slot_would_not_help_needs_none(make: Callable[[Pool], Task]) -> None:
    pool = pods.pool()
    make(pool)
    assert of(pool) == Demand()


def test_a_plan_only_task_needs_a_slot_behind_a_lock() -> None:
    pool = pods.pool()
    task = pods.pending(pool, task_type="plan")
    locks.lock(task.workspace, by=factories.person(), reason="Hands off.")
    assert of(pool) == Demand(queued=1)


def test_a_task_is_counted_again_when_its_pause_is_over() -> None:
    pool = pods.pool()
    backing_off(pool)
    pods.later(10)
    assert of(pool) == Demand(queued=1)


def kept(pool: Pool) -> tuple[Task, Agent]:
    """Return a confirmed task whose slot is kept on an agent, which was not told so far."""
    agent = pods.agent(pods.served(pool))
    task = factories.awaiting_confirmation(workspace=scenes.workspace_of(pool), on=agent)
    Agent.objects.filter(pk=agent.pk).update(session="")
    return scenes.confirm(task), agent


def test_a_confirmed_task_needs_no_other_slot_than_the_one_that_is_kept_for_it() -> None:
    pool = pods.pool()
    _, agent = kept(pool)
    assert of(pool) == Demand(pinned=1), "its agent was cut off just now"
    pods.later(6)
    assert of(pool) == Demand(pinned=1, queued=1), "it was cut off for longer than anybody waits"
    Agent.objects.filter(pk=agent.pk).update(session="back", lease_until=clock.In(seconds=45))
    assert of(pool) == Demand(pinned=1), "its agent is back"


def test_a_slot_that_is_kept_in_the_pool_that_the_workspace_has_left_is_no_use() -> None:
    old, new = pods.pool(), pods.pool()
    task, agent = kept(old)
    Agent.objects.filter(pk=agent.pk).update(session="back", lease_until=clock.In(seconds=45))
    type(task.workspace).objects.filter(pk=task.workspace_id).update(pool=new)
    found = demand.of([old, new], clock.now())
    assert found == {old.pk: Demand(pinned=1), new.pk: Demand(queued=1)}


def with_misfits(pool: Pool) -> Pod:
    """Return a pod of the pool whose agent could apply neither of the two plans that wait."""
    pod = pods.served(pool)
    for _ in range(2):
        task = factories.awaiting_confirmation(workspace=scenes.workspace_of(pool), on=factories.agent())
        factories.confirm(task)
        factories.lose(task)
    Agent.objects.filter(pool=pool).update(arch="arm64")
    dispatcher.dispatch(pool.pk, cause="test")
    assert set(Task.objects.values_list("reason_code", flat=True)) == {"no_matching_agent"}
    return pod


def test_of_tasks_that_no_agent_there_can_run_one_counts() -> None:
    pool = pods.pool(slots_per_pod=2)
    with_misfits(pool)
    assert of(pool) == Demand(queued=1)


def test_a_free_slot_is_none_for_a_task_that_no_agent_there_can_run() -> None:
    """Or no pod of a newer configuration would ever come where one of the old is always at work."""
    pool = pods.pool(slots_per_pod=4)
    pod = with_misfits(pool)
    factories.running(pods.pending(pool), on=pods.agent(pod))
    assert of(pool) == Demand(pinned=1, free=0, queued=1)
    pods.pending(pool)
    assert of(pool) == Demand(pinned=1, free=1, queued=2)


@pytest.mark.parametrize(
    ("what", "columns"),
    [
        ("drains", {"draining": True}),
        ("was cut off", {"session": ""}),
    ],
)
def test_slots_of_an_agent_that_takes_nothing_are_not_free(what: str, columns: dict[str, object]) -> None:
    pool = pods.pool(slots_per_pod=3)
    agent = pods.agent(pods.served(pool))
    factories.running(pods.pending(pool), on=agent)
    Agent.objects.filter(pk=agent.pk).update(**columns)
    assert of(pool) == Demand(pinned=1, free=0), what


def test_slots_of_an_agent_that_let_an_offer_lapse_are_not_free() -> None:
    pool = pods.pool(slots_per_pod=3)
    agent = pods.agent(pods.served(pool, seconds=60))
    factories.running(pods.pending(pool), on=agent)
    task = factories.offered(pods.pending(pool), on=agent)
    pods.later(11)
    factories.lose(task)
    assert of(pool) == Demand(pinned=1, free=0, queued=1)


def test_slots_of_an_idle_pod_are_no_free_slots_of_pods_at_work() -> None:
    pool = pods.pool(slots_per_pod=3)
    pods.served(pool)
    assert of(pool) == Demand()


@pytest.mark.parametrize("phase", [PodPhase.DRAINING, PodPhase.DELETING])
def test_a_pod_that_is_being_removed_counts_for_nothing(phase: PodPhase) -> None:
    pool = pods.pool()
    pod = pods.served(pool)
    factories.running(pods.pending(pool), on=pods.agent(pod))
    Pod.objects.filter(pk=pod.pk).update(phase=phase)
    assert of(pool) == Demand()


def test_pools_do_not_see_each_others_work() -> None:
    one, two = pods.pool(), pods.pool()
    pods.pending(one)
    factories.running(pods.pending(two), on=pods.agent(pods.served(two)))
    assert demand.of([one, two], clock.now()) == {one.pk: Demand(queued=1), two.pk: Demand(pinned=1)}
