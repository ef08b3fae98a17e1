"""A kept slot is a warm cache: given up where somebody finds no other, and the stored plan is applied elsewhere."""

import pytest

from agents import dispatcher
from agents.models import Agent
from pools.models import Pool, PoolStatus
from tasks.states import Lease, Status
from tests.agents.scenes import confirm, join, offered_to, pod, working_pod, workspace_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_last_slot_is_given_to_who_finds_no_other() -> None:
    ada = factories.agent("ada", connected=True, capacity=1)
    holder = factories.awaiting_confirmation(on=ada)
    newcomer = factories.pending()
    holder = factories.reread(holder)
    assert offered_to(ada) == [newcomer.pk]
    assert (holder.status, holder.lease, holder.reason_code) == (Status.APPLY_PENDING, "", "reservation_lost")
    assert f"task {newcomer.pk}" in (holder.reason or {})["message"]


def test_its_plan_is_applied_elsewhere() -> None:
    ada = factories.agent("ada", connected=True, capacity=1)
    holder = factories.awaiting_confirmation(on=ada)
    factories.pending()
    bob = join("bob", capacity=1)
    confirm(holder)
    assert offered_to(bob) == [holder.pk]


def test_nobody_loses_a_slot_while_another_one_is_free() -> None:
    ada = factories.agent("ada", connected=True, capacity=2)
    holder = factories.awaiting_confirmation(on=ada)
    factories.pending()
    assert factories.reread(holder).lease == Lease.RESERVED


def test_the_oldest_reservation_goes_first() -> None:
    ada = factories.agent("ada", connected=True, capacity=2)
    older = factories.awaiting_confirmation(on=ada)
    newer = factories.awaiting_confirmation(on=ada)
    factories.pending()
    assert (factories.reread(older).lease, factories.reread(newer).lease) == (Lease.NONE, Lease.RESERVED)


def test_a_confirmed_task_keeps_its_slot() -> None:
    """It has somebody's word; who only plans must not send it to the end of the queue."""
    ada = factories.agent("ada", connected=True, capacity=1)
    task = confirm(factories.awaiting_confirmation(on=ada))
    factories.pending()
    assert offered_to(ada) == [task.pk]


def test_a_slot_that_does_not_fit_is_left_to_its_holder() -> None:
    confirmed = factories.confirmed(on=factories.agent())  # its plan is one of 1.11.4
    odd = factories.agent("odd", connected=True, capacity=1, engines=[{"name": "terraform", "version": "1.5.7"}])
    holder = factories.awaiting_confirmation(on=odd)
    dispatcher.dispatch(odd.pool_id, cause="test")
    assert factories.reread(confirmed).reason_code == "no_matching_agent"
    assert factories.reread(holder).lease == Lease.RESERVED


def test_a_task_behind_a_lock_takes_no_slot_from_others() -> None:
    ada = factories.agent("ada", connected=True, capacity=1)
    holder = factories.awaiting_confirmation(on=ada)
    factories.pending(workspace=holder.workspace)
    dispatcher.dispatch(ada.pool_id, cause="test")
    assert factories.reread(holder).lease == Lease.RESERVED


def test_a_pool_that_can_grow_gives_up_none(k8s_pool: Pool) -> None:
    holder = factories.awaiting_confirmation(on=working_pod(k8s_pool), workspace=workspace_of(k8s_pool))
    waiting = factories.pending(workspace=workspace_of(k8s_pool))
    assert factories.reread(holder).lease == Lease.RESERVED
    assert factories.reread(waiting).reason_code == "no_free_slot"


def test_a_pool_at_its_maximum_does(k8s_pool: Pool) -> None:
    Pool.objects.filter(pk=k8s_pool.pk).update(max_replicas=1)
    agent = working_pod(k8s_pool)
    factories.awaiting_confirmation(on=agent, workspace=workspace_of(k8s_pool))
    waiting = factories.pending(workspace=workspace_of(k8s_pool))
    assert offered_to(agent) == [waiting.pk]


def test_a_pool_at_its_maximum_gives_up_none_while_a_pod_starts(k8s_pool: Pool) -> None:
    holder = factories.awaiting_confirmation(on=working_pod(k8s_pool), workspace=workspace_of(k8s_pool))
    pod(k8s_pool)
    waiting = factories.pending(workspace=workspace_of(k8s_pool))
    assert factories.reread(holder).lease == Lease.RESERVED
    assert factories.reread(waiting).reason_code == "pod_starting"


def test_a_pod_that_is_going_leaves_room_for_another_one(k8s_pool: Pool) -> None:
    holder = factories.awaiting_confirmation(on=working_pod(k8s_pool), workspace=workspace_of(k8s_pool))
    pod(k8s_pool, phase="deleting")
    factories.pending(workspace=workspace_of(k8s_pool))
    assert factories.reread(holder).lease == Lease.RESERVED


def test_a_pool_that_gets_no_pod_gives_one_up(k8s_pool: Pool) -> None:
    PoolStatus.objects.create(pool=k8s_pool, condition_code="quota_exceeded", condition_message="exceeded quota")
    agent = working_pod(k8s_pool)
    factories.awaiting_confirmation(on=agent, workspace=workspace_of(k8s_pool))
    waiting = factories.pending(workspace=workspace_of(k8s_pool))
    assert offered_to(agent) == [waiting.pk]


def test_people_s_own_agents_do_not_count_as_pods(k8s_pool: Pool) -> None:
    Pool.objects.filter(pk=k8s_pool.pk).update(max_replicas=1)
    by_hand = factories.agent("ada", pool=k8s_pool, connected=True, capacity=1)
    holder = factories.awaiting_confirmation(on=by_hand, workspace=workspace_of(k8s_pool))
    factories.pending(workspace=workspace_of(k8s_pool))
    assert factories.reread(holder).lease == Lease.RESERVED


def test_a_pool_of_no_pods_keeps_what_is_reserved(k8s_pool: Pool) -> None:
    agent = working_pod(k8s_pool)
    holder = factories.awaiting_confirmation(on=agent, workspace=workspace_of(k8s_pool))
    Pool.objects.filter(pk=k8s_pool.pk).update(max_replicas=0)
    waiting = factories.pending(workspace=workspace_of(k8s_pool))
    assert factories.reread(waiting).reason_code == "pool_at_max"
    confirm(holder)
    assert offered_to(agent) == [holder.pk]


def test_who_waits_gets_a_slot_that_a_plan_has_just_reserved() -> None:
    ada = factories.agent("ada", connected=True, capacity=1)
    task = factories.running(factories.pending())
    waiting = factories.pending()
    assert factories.reread(waiting).reason_code == "no_free_slot"
    factories.planned(task)
    assert offered_to(ada) == [waiting.pk]


def test_a_slot_that_its_holder_cannot_use_any_more_is_free_in_the_same_pass(k8s_pool: Pool) -> None:
    ada = factories.agent("ada", pool=k8s_pool, connected=True, capacity=1)
    task = factories.awaiting_confirmation(on=ada, workspace=workspace_of(k8s_pool))
    waiting = factories.pending(workspace=workspace_of(k8s_pool))
    Agent.objects.filter(pk=ada.pk).update(arch="arm64")
    bob = join("bob", pool=k8s_pool, capacity=1, draining=True)
    Agent.objects.filter(pk=bob.pk).update(draining=False)
    confirm(task)
    assert (offered_to(bob), offered_to(ada)) == ([task.pk], [waiting.pk])
