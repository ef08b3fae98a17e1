"""A pass costs the database the same number of statements for one pool and for a hundred with a thousand pods."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.fleet import demand
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import Beat
from pools.models import Pod, PodPhase, Pool
from tests.fleet import pods
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def filled(count: int) -> Pool:
    """Return a pool with so many pods: one works, one is to go, the others are idle; and a task that waits."""
    pool = pods.pool(max_replicas=1000)
    assert pool.k8s_config is not None
    busy = pods.served(pool, seconds=3600)
    factories.running(pods.pending(pool), on=pods.agent(busy))
    pods.pending(pool)
    pods.served(pool, seconds=3600)
    made = [Pod(pool=pool, name=f"{pool.pk}-{n}", phase=PodPhase.RUNNING, slots=1) for n in range(count - 2)]
    agents = [Agent(pool=pool, name=pod.name, pod_name=pod.name, instance=pod.name, session="s") for pod in made]
    Pod.objects.bulk_create(made), Agent.objects.bulk_create(agents)
    return pool


def statements(act: Callable[[], object]) -> int:
    """Return how many statements it takes, savepoints not counted."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        act()
    return sum("SAVEPOINT" not in each["sql"] for each in seen)


def test_one_pass_is_as_many_statements_for_a_hundred_pools_with_a_thousand_pods() -> None:
    Beat.objects.create(name="web:1")
    Beat.objects.update(unbroken_since=clock.In(seconds=-300))
    one, many = filled(10), [filled(10) for _ in range(100)]
    pods.scale(one, *many)  # they have too many pods from now on
    pods.later(3600)

    few, lots = statements(lambda: pods.scale(one)), statements(lambda: pods.scale(*many))

    drained = Pod.objects.filter(phase=PodPhase.DRAINING).values_list("pool_id", flat=True)
    assert sorted(drained) == sorted([one.pk, *(pool.pk for pool in many)])
    # `pods.scale` itself reads each pool again, and the time.
    assert few - 2 == lots - 101


def test_demand_is_as_many_statements_for_a_hundred_pools() -> None:
    one, many, now = filled(10), [filled(10) for _ in range(100)], clock.now()
    few, lots = statements(lambda: demand.of([one], now)), statements(lambda: demand.of(many, now))
    assert few == lots <= 8
