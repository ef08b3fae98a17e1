"""The database's clock may be set back, as by a failover: nobody waits for it to catch up."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from agents import sweep
from agents.fleet import jobs
from iacplatform.base import clock
from pools import budgets
from pools.errors import QuotaExceeded, Throttled
from pools.models import ClusterStatus, Pool
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, look

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
        for _ in range(40):
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


def test_what_waits_for_a_moment_close_by_goes_on_to(pool: Pool) -> None:
    later = clock.now() + timedelta(seconds=60)
    ClusterStatus.objects.update_or_create(config=pool.k8s_config, defaults={"not_before": later})
    sweep.sweep()
    assert ClusterStatus.objects.get().not_before == later
