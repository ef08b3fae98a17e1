"""How a pool of pods gets more of them."""

from datetime import timedelta

import pytest

from agents import dispatcher
from agents.fleet import demand
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import Beat
from pools.autoscaler import Demand
from pools.models import K8sConfig, Pod, PodPhase, Pool, PoolStatus
from tests import factories as rows
from tests.fleet import pods
from tests.tasks import factories

pytestmark = pytest.mark.django_db

NEVER = clock.In(seconds=-60)


def hear_agents() -> None:
    """Let a web process have been there for long enough to hear every agent."""
    Beat.objects.create(name="web:1")
    Beat.objects.update(unbroken_since=clock.In(seconds=-300))


def test_two_workspaces_get_two_pods_and_keep_them_when_one_starts() -> None:
    """Incident 515."""
    pool = pods.pool()
    pods.pending(pool), pods.pending(pool)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.INTENDED) == pods.status(pool).desired == 2

    Pod.objects.all()[0].delete()
    pods.served(pool)
    dispatcher.dispatch(pool.pk, cause="test")
    assert demand.of([pool], clock.now())[pool.pk] == Demand(pinned=1, free=0, queued=1)
    pods.scale(pool)
    assert pods.status(pool).desired == pods.count(pool) == 2


def test_ten_workspaces_on_pods_of_three_slots_get_four_pods() -> None:
    pool = pods.pool(slots_per_pod=3)
    for _ in range(10):
        pods.pending(pool)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.INTENDED) == 4


def test_scaling_again_makes_no_pod_twice() -> None:
    pool = pods.pool(min_replicas=2)
    pods.scale(pool)
    pods.scale(pool)
    assert pods.count(pool) == 2


def test_one_pod_is_kept_ready_where_the_pool_says_so() -> None:
    """Incident 713."""
    pool = pods.pool(min_replicas=1)
    pods.scale(pool)
    made = Pod.objects.get()
    assert made.phase == PodPhase.INTENDED and made.slots == 1 and made.config_hash
    assert made.name.startswith(f"iac-{pool.pk.removeprefix('pool-')}-")


def test_a_pool_never_grows_above_its_maximum() -> None:
    pool = pods.pool(max_replicas=2)
    for _ in range(4):
        pods.pending(pool)
    pods.scale(pool)
    assert pods.count(pool) == 2


def test_a_useless_pod_counts_for_the_maximum_until_it_is_removed() -> None:
    hear_agents()
    pool = pods.pool(max_replicas=1)
    lost = pods.served(pool)
    Agent.objects.update(session="", lease_until=NEVER)
    pods.pending(pool)
    pods.scale(pool)
    assert pods.phases(pool) == {lost.name: PodPhase.DRAINING}
    pods.scale(pool)
    assert pods.count(pool, PodPhase.INTENDED) == 1


def test_a_pod_that_is_starting_is_not_made_again_before_its_deadline() -> None:
    pool = pods.pool()
    pods.pod(pool, deadline=clock.In(seconds=10))
    pods.pending(pool)
    pods.scale(pool)
    assert pods.count(pool) == 1
    clock.shift(timedelta(seconds=11))
    pods.scale(pool)
    assert pods.count(pool) == 2


@pytest.mark.parametrize("phase", [PodPhase.DRAINING, PodPhase.DELETING])
def test_a_pod_that_is_being_removed_is_no_capacity(phase: PodPhase) -> None:
    pool = pods.pool(max_replicas=1)
    pods.pod(pool, phase=phase)
    pods.pending(pool)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.INTENDED) == 1


def test_a_pod_whose_agent_a_person_drains_is_no_capacity_when_its_work_is_done() -> None:
    pool = pods.pool(min_replicas=1)
    agent = pods.agent(pods.served(pool))
    task = factories.running(pods.pending(pool), on=agent)
    Agent.objects.update(draining=True)
    pods.scale(pool)
    assert pods.count(pool) == 1, "it works"
    factories.finish(task, "failed", exit_code=1)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.INTENDED) == 1


def test_an_agent_that_was_cut_off_a_moment_ago_is_expected_back() -> None:
    hear_agents()
    pool = pods.pool(min_replicas=1)
    pods.served(pool)
    Agent.objects.update(session="")
    pods.scale(pool)
    assert pods.count(pool) == 1


def test_an_outage_of_ours_is_no_death_of_agents() -> None:
    pool = pods.pool(min_replicas=1)
    pods.served(pool)
    Agent.objects.update(session="", lease_until=NEVER)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.RUNNING) == pods.count(pool) == 1

    hear_agents()
    pods.scale(pool)
    assert pods.count(pool, PodPhase.INTENDED) == pods.count(pool, PodPhase.DRAINING) == 1


def test_no_pod_is_made_before_the_pool_may_try_again() -> None:
    pool = pods.pool(min_replicas=1)
    PoolStatus.objects.create(pool=pool, retry_at=clock.In(seconds=20))
    pods.scale(pool)
    assert pods.count(pool) == 0 and pods.status(pool).desired == 1
    clock.shift(timedelta(seconds=21))
    pods.scale(pool)
    assert pods.count(pool) == 1


def test_a_frozen_pool_gets_no_pod_until_it_is_unfrozen() -> None:
    week = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "timezone": "UTC"}]
    pool = pods.pool(min_replicas=1, freeze_windows=[{**each, "start": "00:00", "end": "23:59"} for each in week])
    clock.shift(timedelta(hours=12 - clock.now().hour))  # far from midnight
    pods.pending(pool)
    pods.scale(pool)
    assert pods.count(pool) == 0
    Pool.objects.get(pk=pool.pk).unfreeze()
    pods.scale(pool)
    assert pods.count(pool) == 1


def test_a_static_pool_is_nothing_to_scale() -> None:
    pool = rows.pool(min_replicas=1)
    pods.scale(pool)
    assert not Pod.objects.exists() and not PoolStatus.objects.exists()


def test_an_outdated_pod_gets_a_stand_in_before_it_goes() -> None:
    pool = pods.pool(min_replicas=1, max_replicas=2)
    old = pods.served(pool)
    K8sConfig.objects.update(image="agent:2")
    pods.scale(pool)
    new = Pod.objects.get(phase=PodPhase.INTENDED)
    assert pods.phases(pool)[old.name] == PodPhase.RUNNING, "nobody has come in its place yet"

    pods.scale(pool)
    assert pods.count(pool) == 2, "one stand-in is enough"
    Pod.objects.filter(pk=new.pk).update(phase=PodPhase.RUNNING, connected_at=clock.now())
    factories.agent(new.name, pool=pool, connected=True, pod_name=new.name, capacity=1)
    pods.scale(pool)
    assert pods.phases(pool) == {old.name: PodPhase.DRAINING, new.name: PodPhase.RUNNING}
