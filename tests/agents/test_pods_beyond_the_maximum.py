"""A maximum that was lowered: the pods beyond it take nothing new, so that they come to an end in a busy pool as well."""

import pytest

from agents import dispatcher
from agents.models import Agent
from pools.models import Pool
from tasks.models import Task
from tasks.states import Lease
from tests.agents.scenes import confirm, offered_to, working_pod, workspace_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def lowered(pool: Pool, most: int) -> None:
    Pool.objects.filter(pk=pool.pk).update(max_replicas=most, min_replicas=0)


def dispatched(pool: Pool) -> int:
    return dispatcher.dispatch(pool.pk, cause="test").offers


def waiting(pool: Pool) -> Task:
    return factories.reread(factories.pending(workspace=workspace_of(pool)))


def busy(pool: Pool) -> tuple[Agent, Task]:
    """Return the agent of a new pod with one slot, and what it works on."""
    agent = working_pod(pool)
    return agent, factories.planning(workspace=workspace_of(pool), on=agent)


def fail(task: Task) -> None:
    factories.finish(task, "failed", exit_code=1, error_code="engine_failed", error_message="no")


def test_a_slot_that_becomes_free_beyond_it_stays_free(k8s_pool: Pool) -> None:
    (older, first), (younger, second) = busy(k8s_pool), busy(k8s_pool)
    lowered(k8s_pool, 1)
    task = waiting(k8s_pool)
    fail(second)
    assert (dispatched(k8s_pool), offered_to(younger)) == (0, [])
    task = factories.reread(task)
    assert task.reason_code == "pool_at_max" and "take nothing new" in (task.reason or {})["message"]
    fail(first)
    assert offered_to(older) == [task.pk]


def test_when_it_is_raised_again_they_take_work(k8s_pool: Pool) -> None:
    (_, _), (younger, second) = busy(k8s_pool), busy(k8s_pool)
    lowered(k8s_pool, 1)
    task = waiting(k8s_pool)
    fail(second)
    lowered(k8s_pool, 2)
    assert (dispatched(k8s_pool), offered_to(younger)) == (1, [task.pk])


def test_what_is_kept_there_is_applied_there(k8s_pool: Pool) -> None:
    busy(k8s_pool)
    younger = working_pod(k8s_pool)
    kept = factories.awaiting_confirmation(workspace=workspace_of(k8s_pool), on=younger)
    lowered(k8s_pool, 1)
    newcomer = waiting(k8s_pool)
    assert factories.reread(kept).lease == Lease.RESERVED and factories.reread(newcomer).reason_code == "pool_at_max"
    confirm(kept)
    assert offered_to(younger) == [kept.pk]


def test_a_pod_that_is_cut_off_or_deaf_takes_no_place_of_one_that_serves(k8s_pool: Pool) -> None:
    (older, _), (younger, second) = busy(k8s_pool), busy(k8s_pool)
    lowered(k8s_pool, 1)
    task = waiting(k8s_pool)
    fail(second)
    Agent.objects.filter(pk=older.pk).update(session="")
    assert (dispatched(k8s_pool), offered_to(younger)) == (1, [task.pk])


def test_agents_that_people_start_are_no_pods(k8s_pool: Pool) -> None:
    busy(k8s_pool)
    lowered(k8s_pool, 1)
    by_hand = factories.agent("ada", pool=k8s_pool, connected=True, capacity=1)
    task = waiting(k8s_pool)
    assert offered_to(by_hand) == [task.pk]
