"""Pods that are taken out of service while slots of them are given out, in every order of statements and commits.

What is never right: a lease on a pod that is being removed (incident 601).
"""

from copy import deepcopy
from functools import partial

import pytest

from agents import dispatcher, sessions, sweep
from agents.fleet import draining, scaling
from agents.models import Agent
from iacplatform.base import clock
from pools.models import STAYING, Pod, PodPhase, Pool, PoolToken
from tasks import confirmation
from tasks.models import Task
from tasks.states import Lease, Status
from tests.agents.scenes import hello, workspace_of
from tests.fleet import pods
from tests.races.pairs import BadOrder, every_order, word
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def drain(pod: Pod) -> bool:
    return draining.drain_if_idle(pod)


def dispatch(pool: Pool) -> int:
    return dispatcher.dispatch(pool.pk, cause="race").offers


def is_drained(pod: Pod) -> bool:
    """Return whether the pod takes nothing new; fail where a slot of it is held then, or its agent was not told."""
    removed = Pod.objects.get(pk=pod.pk).phase not in STAYING
    held = Task.objects.exclude(lease=Lease.NONE).filter(pod_name=pod.name)
    assert not (removed and held.exists()), "a slot of a pod that is being removed is held"
    takes_work = Agent.objects.filter(pod_name=pod.name, draining=False)
    assert not (removed and takes_work.exists()), "an agent whose pod is being removed takes work"
    return removed


# offer x drain ------------------------------------------------------------------------------------------------------


def test_a_slot_is_offered_or_its_pod_is_drained_and_never_both() -> None:
    pool = pods.pool()
    task = pods.pending(pool)
    pod = pods.served(pool)

    found = every_order(
        lambda dispatch, drain: (dispatch, drain, is_drained(pod), factories.reread(task).lease),
        dispatch=partial(dispatch, pool),
        drain=partial(drain, pod),
    )

    found.demand((1, False, False, Lease.OFFERED), (0, True, True, Lease.NONE))


def test_without_the_pools_turn_a_pod_with_an_offer_would_be_drained(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = pods.pool()
    pods.pending(pool)
    pod = pods.served(pool)
    monkeypatch.setattr("agents.turns.without_waiting", lambda pool_ids: pool_ids)

    with pytest.raises(BadOrder, match="is being removed"):
        every_order(
            lambda dispatch, drain: is_drained(pod), dispatch=partial(dispatch, pool), drain=partial(drain, pod)
        )


# reserve x scale down -----------------------------------------------------------------------------------------------


def surplus(pool: Pool) -> None:
    """Let the pool have had too many pods, and its pods nothing to do, for an hour."""
    pods.scale(pool)
    pods.later(3600)
    Pod.objects.update(last_busy_at=None)


def scale(pool: Pool) -> None:
    scaling.scale([pool], clock.now())


def test_a_plan_that_ends_keeps_its_slot_however_the_pool_is_scaled() -> None:
    pool = pods.pool()
    busy = pods.served(pool, seconds=3600)
    task = factories.planning(workspace=workspace_of(pool), on=pods.agent(busy))
    idle = pods.served(pool, seconds=3600)
    surplus(pool)

    found = every_order(
        lambda plan, scale: (word(plan), word(scale), factories.reread(task).lease, is_drained(busy), is_drained(idle)),
        plan=lambda: bool(factories.planned(deepcopy(task))),
        scale=partial(scale, pool),
    )

    # It holds a lease all the time. The other pod goes: nobody waits for a slot, so that no pass takes the pool's turn.
    found.demand((True, None, Lease.RESERVED, False, True))


def test_a_reservation_that_runs_out_and_the_removal_of_its_pod() -> None:
    pool = pods.pool()
    pod = pods.served(pool)
    factories.awaiting_confirmation(workspace=workspace_of(pool), on=pods.agent(pod))
    Task.objects.update(lease_expires_at=clock.In(seconds=-1))

    found = every_order(
        lambda run_out, drain: (word(run_out), drain, is_drained(pod)),
        run_out=sweep._reservations,
        drain=partial(drain, pod),
    )

    found.demand((None, False, False), (None, True, True))


def test_a_kept_slot_that_is_wanted_and_the_removal_of_its_pod() -> None:
    pool, person = pods.pool(), factories.person()
    pod = pods.served(pool)
    kept = factories.awaiting_confirmation(workspace=workspace_of(pool), on=pods.agent(pod))

    found = every_order(
        lambda confirm, drain: (confirm, drain, is_drained(pod), factories.reread(kept).status),
        confirm=lambda: confirmation.confirm(deepcopy(kept), by=person),
        drain=partial(drain, pod),
    )

    found.demand((True, False, False, Status.CONFIRMED))


# connect x drain ----------------------------------------------------------------------------------------------------


def test_an_agent_that_connects_while_its_pod_is_drained_takes_nothing() -> None:
    pool = pods.pool()
    pod = pods.pod(pool, phase=PodPhase.STARTING)
    token, _ = PoolToken.issue(pool=pool, pod=pod)
    pods.pending(pool)

    def connect() -> str:
        session, _ = sessions.open_session(token, hello(pod.name, pod_name=pod.name))
        return session.agent_name

    found = every_order(
        lambda connect, drain: (connect == pod.name, drain, is_drained(pod), Task.objects.get().lease),
        connect=connect,
        drain=partial(drain, pod),
    )

    found.demand((True, False, False, Lease.OFFERED), (True, True, True, Lease.NONE))


# scale x scale ------------------------------------------------------------------------------------------------------


def test_two_who_scale_at_once_make_each_pod_once() -> None:
    pool = pods.pool(min_replicas=2)
    pods.scale(pool)
    Pod.objects.all().delete()

    found = every_order(
        lambda one, two: (word(one), word(two), Pod.objects.count()),
        one=partial(scale, pool),
        two=partial(scale, pool),
    )

    found.demand((None, None, 2))
