"""When clusters are looked at: at once where somebody asks, one look for many who ask, every ten seconds besides."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django_q.models import OrmQ

from agents import sweep
from agents.fleet import jobs
from agents.signals import announce, demand_changed
from iacplatform.base import clock
from pools.models import ClusterStatus, K8sConfig, Pod, PodPhase, Pool
from tests import factories
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster
from tests.races.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]

AHEAD = timedelta(seconds=4)
"""So much younger a clock makes what was asked for, and takes it as it is; two seconds are over soon."""


@pytest.fixture
def pool() -> Pool:
    """A pool whose cluster was looked at a moment ago."""
    made = pods.pool(min_replicas=1)
    OrmQ.objects.all().delete()
    ClusterStatus.objects.update_or_create(config=made.k8s_config, defaults={"began_at": clock.now(), "asked_at": None})
    return made


def queued() -> list[Any]:
    return [row.task["args"][0] for row in OrmQ.objects.all() if row.task["func"] == jobs.LOOK]


def work() -> None:
    """Do what is queued, as a worker does."""
    configs = queued()
    OrmQ.objects.all().delete()
    for config_id in configs:
        jobs.look_at(config_id)


def test_who_asks_gets_a_look(pool: Pool) -> None:
    jobs.ask({pool.pk, None})
    assert queued() == [pool.k8s_config_id]


def test_many_who_ask_get_one_look(pool: Pool) -> None:
    jobs.ask({pool.pk})
    jobs.ask({pool.pk})
    assert queued() == [pool.k8s_config_id]


def test_of_two_who_ask_at_once_one_queues_it(pool: Pool) -> None:
    race(lambda: jobs.ask({pool.pk}), lambda: jobs.ask({pool.pk}))
    assert queued() == [pool.k8s_config_id]


def test_it_is_queued_when_what_it_is_about_is_committed(pool: Pool) -> None:
    with transaction.atomic():
        jobs.ask({pool.pk})
        assert queued() == []
    assert queued() == [pool.k8s_config_id]


def test_a_static_pool_has_no_cluster() -> None:
    jobs.ask({factories.pool().pk})
    assert queued() == []


def test_a_cluster_that_rests_is_not_asked_for(pool: Pool) -> None:
    ClusterStatus.objects.update(not_before=clock.now() + timedelta(seconds=60))
    jobs.ask({pool.pk})
    sweep.sweep()
    assert queued() == []


def test_a_change_of_the_demand_asks_for_a_look(pool: Pool) -> None:
    announce(demand_changed, pool.pk)
    assert queued() == [pool.k8s_config_id]


def test_a_new_pool_and_a_change_of_one_ask_for_a_look(pool: Pool) -> None:
    pool.max_replicas = 9
    pool.save()
    assert queued() == [pool.k8s_config_id]


def test_a_change_of_the_cluster_asks_for_a_look(pool: Pool) -> None:
    K8sConfig.objects.get().save()
    assert queued() == [pool.k8s_config_id]


def test_nobody_asked_and_ten_seconds_are_not_over(pool: Pool) -> None:
    sweep.sweep()
    assert queued() == []


def test_after_ten_seconds_the_sweep_asks(pool: Pool) -> None:
    clock.shift(AHEAD + timedelta(seconds=11))
    sweep.sweep()
    clock.shift(-AHEAD)
    sweep.sweep()
    assert queued() == [pool.k8s_config_id]


def test_a_cluster_that_was_never_looked_at_is_asked_for(pool: Pool) -> None:
    ClusterStatus.objects.all().delete()
    sweep.sweep()
    assert queued() == [pool.k8s_config_id]


def test_a_look_that_was_lost_is_asked_for_again(pool: Pool) -> None:
    jobs.ask({pool.pk})
    OrmQ.objects.all().delete()
    clock.shift(-AHEAD)
    sweep.sweep()
    assert queued() == []
    clock.shift(AHEAD + timedelta(seconds=3))
    sweep.sweep()
    assert queued() == [pool.k8s_config_id]


def test_a_queue_that_nobody_works_off_does_not_grow(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_QUEUED", 0)
    OrmQ.objects.create(key="x", payload="x", lock=clock.now())
    clock.shift(timedelta(seconds=11))
    sweep.sweep()
    assert OrmQ.objects.count() == 1


def test_a_cluster_without_pools_is_left_alone() -> None:
    factories.k8s_config()
    sweep.sweep()
    assert queued() == []


def test_a_look_that_was_queued_twice_is_done_once(pool: Pool, cluster: Cluster) -> None:
    jobs.ask({pool.pk})
    jobs.look_at(pool.k8s_config_id or 0)
    jobs.look_at(pool.k8s_config_id or 0)
    assert cluster.called("pods") == [""]


@pytest.mark.parametrize(("calls_left", "rests"), [(9, [jobs.APART_SECONDS]), (11, [])])
def test_looks_keep_apart_where_few_calls_are_left_for_deeds(
    pool: Pool, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, calls_left: int, rests: list[float]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("agents.fleet.jobs.time.sleep", slept.append)
    in_a_moment = clock.now() + timedelta(seconds=60)
    ClusterStatus.objects.update(calls_left=calls_left, began_at=in_a_moment, asked_at=in_a_moment + timedelta(1))
    jobs.look_at(pool.k8s_config_id or 0)
    assert slept == rests
    assert len(cluster.called("pods")) == 1


def test_what_is_left_is_done_by_the_next_look(pool: Pool, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pools.kube.LOOK_SECONDS", -1)
    jobs.ask({pool.pk})
    work()
    assert (queued(), cluster.pods) == ([pool.k8s_config_id], {})
    monkeypatch.undo()


def test_demand_brings_a_pod(cluster: Cluster) -> None:
    """Incident 713: a task that finds no slot does not wait for a timer."""
    pool = pods.pool()
    work()
    pods.pending(pool)
    work()
    assert [pod.phase for pod in Pod.objects.all()] == [PodPhase.STARTING]
