"""How a pool of pods gets fewer of them: one at a time, and never one that holds a lease."""

import re
from datetime import timedelta
from typing import Any

import pytest

from agents.fleet import draining
from agents.models import Agent
from iacplatform.base import clock
from pools.models import Pod, PodPhase, Pool
from tasks import cancellation
from tests.agents import scenes
from tests.fleet import pods
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def idle_pool(count: int, **columns: Any) -> Pool:
    """Return a pool with pods that have been idle for an hour, and more of them than it needs for as long."""
    pool = pods.pool(**columns)
    for _ in range(count):
        pods.served(pool, seconds=3600)
    pods.scale(pool)
    pods.later(3600)
    return pool


def go(pool: Pool) -> None:
    """Let whoever looks at the cluster remove what is drained."""
    Pod.objects.filter(pool=pool, phase=PodPhase.DRAINING).update(phase=PodPhase.GONE)


def test_an_idle_pool_returns_to_its_minimum_one_pod_after_the_other() -> None:
    pool = idle_pool(3, min_replicas=1)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.DRAINING) == 1
    pods.scale(pool)
    assert pods.count(pool, PodPhase.DRAINING) == 1, "the one before is not on its way out yet"
    for _ in range(2):
        go(pool)
        pods.scale(pool)
    assert pods.count(pool, PodPhase.RUNNING) == 1 and pods.count(pool, PodPhase.DRAINING) == 0


def test_a_drained_pod_takes_nothing_new_and_says_why_it_goes() -> None:
    began = clock.now()
    pool = idle_pool(1)
    pods.scale(pool)
    pod = Pod.objects.get(pool=pool)
    assert pods.agent(pod).draining and pod.phase == PodPhase.DRAINING
    said = re.fullmatch(r"It was idle for (\d+) s, and the pool needs 0 pods\.", pod.cause)
    passed = (clock.now() - began).total_seconds()
    assert said and 7200 <= int(said[1]) <= round(3600 + passed)


def test_demand_that_comes_back_within_two_minutes_finds_its_pods() -> None:
    pool = pods.pool()
    pods.served(pool, seconds=3600), pods.served(pool, seconds=3600)
    pods.scale(pool)
    pods.later(72)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.RUNNING) == 2
    back = [pods.pending(pool), pods.pending(pool)]
    pods.scale(pool)
    assert pods.status(pool).surplus_since is None
    for task in back:
        cancellation.cancel(task, by=factories.person())
    pods.scale(pool)
    pods.later(72)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.RUNNING) == 2, "the two minutes begin anew"


def test_idle_time_counts_from_the_end_of_the_last_attempt() -> None:
    pool = pods.pool(idle_seconds=600)
    pod = pods.served(pool, seconds=3600)
    factories.finish(factories.running(pods.pending(pool), on=pods.agent(pod)), "failed", exit_code=1)
    pods.scale(pool)
    pods.later(360)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.RUNNING) == 1
    pods.later(241)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.DRAINING) == 1


def test_idle_time_counts_from_when_a_kept_slot_was_last_seen() -> None:
    pool = pods.pool(idle_seconds=600)
    pod = pods.served(pool, seconds=3600)
    task = factories.awaiting_confirmation(workspace=scenes.workspace_of(pool), on=pods.agent(pod))
    pods.later(1000)
    pods.scale(pool)
    factories.lose(task)
    pods.later(10)
    pods.scale(pool)
    pods.later(580)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.RUNNING) == 1
    pods.later(20)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.DRAINING) == 1


def test_a_maximum_below_the_pods_at_work_kills_none_and_grows_no_more() -> None:
    pool = pods.pool()
    for _ in range(3):
        factories.running(pods.pending(pool), on=pods.agent(pods.served(pool, seconds=3600)))
    idle = pods.served(pool)
    Pool.objects.filter(pk=pool.pk).update(max_replicas=1, min_replicas=0)
    pods.pending(pool)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.RUNNING) == pods.status(pool).desired == 3
    assert pods.phases(pool)[idle.name] == PodPhase.DRAINING


def test_a_freeze_window_removes_idle_pods_and_keeps_those_at_work() -> None:
    pool = pods.pool(min_replicas=2)
    busy, idle = pods.served(pool), pods.served(pool)
    factories.running(pods.pending(pool), on=pods.agent(busy))
    day = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "timezone": "UTC"}
    clock.shift(timedelta(hours=12 - clock.now().hour))  # far from midnight
    pods.later(0)
    Pool.objects.filter(pk=pool.pk).update(freeze_windows=[{**day, "start": "00:00", "end": "23:59"}])
    pods.scale(pool)
    assert pods.phases(pool) == {busy.name: PodPhase.RUNNING, idle.name: PodPhase.DRAINING}


def test_a_pod_is_drained_where_nothing_holds_a_slot_of_it() -> None:
    pod = pods.served(pods.pool())
    assert draining.drain_if_idle(pod, "No more.")
    assert pods.agent(pod).draining and Pod.objects.get().phase == PodPhase.DRAINING
    assert not draining.drain_if_idle(pod), "that was done before"


@pytest.mark.parametrize(
    "hold", [factories.offered, factories.running, factories.awaiting_confirmation, factories.needing_attention]
)
def test_a_pod_is_not_drained_while_a_slot_is_held_or_a_lost_apply_may_go_on_there(hold: Any) -> None:
    pool = pods.pool()
    pod = pods.served(pool)
    hold(workspace=scenes.workspace_of(pool), on=pods.agent(pod))
    assert not draining.drain_if_idle(pod)
    assert Pod.objects.get().phase == PodPhase.RUNNING and not Agent.objects.get().draining


def test_a_pod_that_was_never_connected_can_be_drained() -> None:
    pod = pods.pod(pods.pool())
    assert draining.drain_if_idle(pod)
