"""A cluster that shows its pods, and answers what is to be done with server errors: it has not answered yet."""

from datetime import timedelta

import pytest

from agents.fleet import troubles
from iacplatform.base import clock
from pools.errors import Denied, Throttled, Unreachable
from pools.models import ClusterStatus, Pod, PodPhase, Pool
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, fails_and_rests, look

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]

BROKEN = Unreachable("etcdserver: request timed out", 500)


@pytest.fixture
def pool() -> Pool:
    return pods.pool(min_replicas=2)


def looks(pool: Pool, count: int) -> None:
    """Look so often, each time when the cluster has rested."""
    for _ in range(count):
        look(pool.k8s_config)
        pods.later(61)


def test_it_rests_longer_each_time_and_its_trouble_began_with_the_first(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(BROKEN, on="create_pod")
    began = set()
    for count, seconds in enumerate((5, 10, 20, 40, 60, 60), start=1):
        assert fails_and_rests(pool.k8s_config, seconds)
        status = pods.status(pool)
        assert (status.condition_message, status.condition_count) == (BROKEN.words, count)
        began.add(status.condition_since)
        pods.later(61)
    assert len(began) == 1


def test_when_it_is_well_again_all_pods_come_at_once(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(BROKEN, on="create_pod")
    looks(pool, 6)
    cluster.heal()
    assert look(pool.k8s_config) is True  # what its pods say for themselves is seen by the next look
    assert (pods.count(pool, PodPhase.STARTING), pods.status(pool).condition_code) == (2, "")
    assert ClusterStatus.objects.get().failures == 0
    assert look(pool.k8s_config) is False


def test_a_pod_that_fails_after_its_silence_is_the_first_that_fails(pool: Pool, cluster: Cluster) -> None:
    look(pool.k8s_config)
    cluster.fail(BROKEN)
    looks(pool, 6)
    cluster.heal()
    cluster.change(Pod.objects.earliest("pk").name, phase="Failed", ended_reason="Error", exit_code=1)
    look(pool.k8s_config)
    status = pods.status(pool)
    assert (status.condition_code, status.condition_count) == ("pod_failed", 1)
    assert status.retry_at is not None and status.retry_at < clock.now() + timedelta(seconds=6)


def test_what_it_refuses_when_it_is_well_again_is_said(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(BROKEN, on="create_pod")
    looks(pool, 3)
    cluster.fail(Denied("no", 403), on="create_pod")
    look(pool.k8s_config)
    first = pods.status(pool)
    pods.later(11)
    look(pool.k8s_config)
    second = pods.status(pool)
    assert (first.condition_code, first.condition_count) == ("cluster_forbidden", 1)
    assert (second.condition_count, second.condition_since) == (2, first.condition_since)


def test_pods_come_although_others_cannot_be_removed(pool: Pool, cluster: Cluster) -> None:
    look(pool.k8s_config)
    Pod.objects.update(phase=PodPhase.DRAINING)
    cluster.fail(BROKEN, on="delete_pod")
    looks(pool, 3)
    assert (pods.count(pool, PodPhase.STARTING), pods.count(pool, PodPhase.DELETING)) == (2, 1)


def test_where_pods_are_made_until_no_call_is_left_it_answers(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(BROKEN, on="create_pod")
    looks(pool, 3)

    def run_out(call: str) -> None:
        if call == "create_pod" and len(cluster.pods) == 1:
            raise Throttled("The calls to this cluster are used up.", 0.4)

    cluster.fault = run_out
    look(pool.k8s_config)
    assert (len(cluster.pods), pods.status(pool).condition_code) == (1, "")


def test_a_rest_that_the_cluster_asked_for_during_the_look_stays(pool: Pool) -> None:
    until = clock.now() + timedelta(seconds=120)
    ClusterStatus.objects.update_or_create(config=pool.k8s_config, defaults={"failures": 2, "held_until": until})
    troubles.cluster_answered(pool.k8s_config_id or 0)
    status = ClusterStatus.objects.get()
    assert (status.failures, status.not_before) == (0, until)
