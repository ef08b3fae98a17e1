"""The database's clock may be set back, as by a failover: nobody waits for it to catch up."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from agents import sweep
from agents.fleet import jobs
from agents.fleet.observations import CONNECT_SECONDS, START_SECONDS
from iacplatform.base import clock
from pools import budgets
from pools.errors import QuotaExceeded, Throttled
from pools.models import ClusterStatus, Pod, PodPhase, Pool, PoolStatus
from tests.agents import scenes
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, look
from tests.tasks import factories as tasks

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]


@pytest.fixture
def pool() -> Pool:
    return pods.pool(min_replicas=1)


def set_back(pool: Pool) -> None:
    """Set the clock back, and let the sweep come by."""
    clock.shift(timedelta(hours=-1))
    OrmQ.objects.all().delete()
    jobs.ask_where_due()


def test_a_cluster_is_looked_at_again(pool: Pool, cluster: Cluster) -> None:
    look(pool.k8s_config)
    ClusterStatus.objects.update(asked_at=clock.now())
    set_back(pool)
    assert [row.task["func"] for row in OrmQ.objects.all()] == [jobs.LOOK]
    cluster.calls.clear()
    jobs.look_at(pool.k8s_config_id or 0)
    assert cluster.called("pods") == [""]


def test_a_budget_that_was_used_up_fills_again(pool: Pool) -> None:
    config_id = pool.k8s_config_id or 0
    with pytest.raises(Throttled):
        for _ in range(400):
            budgets.take(config_id)
    set_back(pool)
    clock.shift(timedelta(seconds=1))
    budgets.take(config_id)


def test_a_cluster_and_a_pool_do_not_rest_until_then(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(QuotaExceeded("exceeded quota: small", 403), on="create_pod")
    look(pool.k8s_config)
    ClusterStatus.objects.update(not_before=clock.now() + timedelta(seconds=60))
    set_back(pool)
    cluster.heal()
    jobs.look_at(pool.k8s_config_id or 0)
    assert len(cluster.pods) == 1


def test_what_a_cluster_asked_for_long_before_does_not_hold_until_then(pool: Pool, cluster: Cluster) -> None:
    look(pool.k8s_config)
    ClusterStatus.objects.update(held_until=clock.now() + timedelta(seconds=60))
    set_back(pool)
    budgets.take(pool.k8s_config_id or 0)


@pytest.mark.parametrize(("runs", "seconds"), [(False, START_SECONDS), (True, CONNECT_SECONDS)])
def test_a_pod_whose_agent_never_connects_is_given_up_in_its_time(
    pool: Pool, cluster: Cluster, runs: bool, seconds: int
) -> None:
    look(pool.k8s_config)
    pod = Pod.objects.get()
    cluster.change(pod.name, phase="Running" if runs else "Pending")
    look(pool.k8s_config)
    set_back(pool)
    pods.later(seconds - 10)
    look(pool.k8s_config)
    assert pods.phases(pool) == {pod.name: PodPhase.STARTING}
    pods.later(20)
    look(pool.k8s_config)
    assert pods.phases(pool)[pod.name] == PodPhase.DELETING


def test_an_idle_pod_goes_in_its_time(pool: Pool, cluster: Cluster) -> None:
    look(pool.k8s_config)
    Pool.objects.update(min_replicas=0)
    idle = pods.served(pool, last_busy_at=clock.now())
    tasks.failed(workspace=scenes.workspace_of(pool), on=pods.agent(idle))
    Pod.objects.exclude(pk=idle.pk).delete()
    set_back(pool)
    pods.scale(pool)
    pods.later(pool.idle_seconds + 10)
    pods.scale(pool)
    assert pods.phases(pool) == {idle.name: PodPhase.DRAINING}


def test_a_pods_agent_that_connects_after_it_ends_the_condition(pool: Pool, cluster: Cluster) -> None:
    Pool.objects.update(min_replicas=2)
    look(pool.k8s_config)
    known = {"condition_code": "pod_failed", "condition_since": clock.now(), "condition_count": 2}
    PoolStatus.objects.update(**known, retry_at=clock.now() + timedelta(seconds=300))
    set_back(pool)
    pods.later(1)
    one = Pod.objects.filter(pk=Pod.objects.earliest("pk").pk)
    one.update(phase=PodPhase.RUNNING, connected_at=clock.now())
    look(pool.k8s_config)
    assert pods.status(pool).condition_code == ""


def test_what_waits_for_a_moment_close_by_goes_on_to(pool: Pool) -> None:
    later = clock.now() + timedelta(seconds=60)
    ClusterStatus.objects.update_or_create(config=pool.k8s_config, defaults={"not_before": later})
    sweep.sweep()
    assert ClusterStatus.objects.get().not_before == later
