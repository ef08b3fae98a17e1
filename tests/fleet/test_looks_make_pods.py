"""A row for each pod that we mean to have, before the cluster hears of it; the cluster follows the rows."""

from datetime import timedelta

import pytest

from iacplatform.base import clock
from pools import freeze
from pools.errors import QuotaExceeded, Refused
from pools.models import K8sConfig, Pod, PodPhase, Pool, PoolStatus, PoolToken
from tests import factories
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, labels, look

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]


@pytest.fixture
def pool() -> Pool:
    return pods.pool(min_replicas=1)


def test_a_pool_gets_its_pod_and_the_pod_its_token(pool: Pool, cluster: Cluster) -> None:
    assert look(pool.k8s_config) is False
    pod = Pod.objects.get()
    assert (pod.phase, list(cluster.pods), list(cluster.secrets)) == (PodPhase.STARTING, [pod.name], [pod.name])
    assert (pod.uid, pod.equipped_at is not None) == (cluster.pods[pod.name].uid, True)
    assert pod.deadline is not None and pod.deadline > clock.now()
    token = cluster.token_of(pod)
    assert token is not None and token.pod == pod


def test_the_row_is_there_before_the_cluster_hears_of_it(pool: Pool, cluster: Cluster) -> None:
    seen: list[str] = []
    cluster.after = lambda call: (
        seen.extend(Pod.objects.values_list("phase", flat=True)) if call == "create_pod" else None
    )
    look(pool.k8s_config)
    assert seen == [PodPhase.INTENDED]


def test_a_second_look_makes_nothing_more(pool: Pool, cluster: Cluster) -> None:
    look(pool.k8s_config)
    cluster.calls.clear()
    look(pool.k8s_config)
    assert [call for call, _ in cluster.calls] == ["pods"]


def test_a_pod_whose_row_was_not_written_is_adopted(pool: Pool, cluster: Cluster) -> None:
    made = pods.pod(pool, phase=PodPhase.INTENDED)
    cluster.put(made.name, labels=labels(made))
    look(pool.k8s_config)
    assert (Pod.objects.get().phase, Pod.objects.get().uid) == (PodPhase.STARTING, cluster.pods[made.name].uid)
    assert cluster.called("create_pod") == []
    assert cluster.token_of(made) is not None


def test_a_pod_of_somebody_else_under_the_same_name_is_left_alone(pool: Pool, cluster: Cluster) -> None:
    taken = pods.pod(pool, phase=PodPhase.INTENDED)
    foreign = cluster.put(taken.name, labels={"app": "theirs"})
    look(pool.k8s_config)
    look(pool.k8s_config)
    taken.refresh_from_db()
    assert (taken.phase, cluster.pods[taken.name]) == (PodPhase.GONE, foreign)
    assert "already exists" in taken.cause
    assert pods.count(pool, PodPhase.STARTING) == 1


def test_what_the_quota_does_not_let_through_is_tried_again_later(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(QuotaExceeded('pods "iac" is forbidden: exceeded quota: small', 403), on="create_pod")
    look(pool.k8s_config)
    status = PoolStatus.objects.get()
    assert (status.condition_code, status.condition_count) == ("quota_exceeded", 1)
    assert status.condition_message == 'pods "iac" is forbidden: exceeded quota: small'
    look(pool.k8s_config)
    assert len(cluster.called("create_pod")) == 1
    pods.later(6)
    look(pool.k8s_config)
    assert len(cluster.called("create_pod")) == 2
    assert (pods.status(pool).condition_count, pods.count(pool)) == (2, 1)
    cluster.heal()
    pods.later(11)
    look(pool.k8s_config)
    assert (pods.status(pool).condition_code, pods.count(pool, PodPhase.STARTING)) == ("", 1)


def test_a_pod_that_the_cluster_does_not_take_is_said_until_it_does(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(Refused('namespaces "ci" not found', 404), on="create_pod")
    look(pool.k8s_config)
    status = pods.status(pool)
    assert status.condition_code == "pod_failed"
    assert status.condition_message == 'The cluster takes no such pod: namespaces "ci" not found'
    cluster.heal()
    pods.later(6)
    look(pool.k8s_config)
    assert (pods.status(pool).condition_code, pods.status(pool).condition_count) == ("", 0)


def test_a_token_that_the_cluster_has_is_not_made_again(pool: Pool, cluster: Cluster) -> None:
    look(pool.k8s_config)
    pod, secret = Pod.objects.get(), dict(cluster.secrets)
    Pod.objects.update(equipped_at=None)
    PoolToken.objects.all().delete()
    look(pool.k8s_config)
    assert cluster.secrets == secret
    assert cluster.token_of(pod) is not None


@pytest.mark.parametrize("moves", ["the config", "the pool"])
def test_a_pod_is_made_in_no_cluster_that_its_pool_has_left_during_the_look(
    pool: Pool, cluster: Cluster, moves: str
) -> None:
    elsewhere = factories.k8s_config()

    def move(call: str) -> None:
        if call == "pods" and moves == "the config":
            K8sConfig.objects.filter(pools=pool).update(namespace="elsewhere")
        if call == "pods" and moves == "the pool":
            Pool.objects.filter(pk=pool.pk).update(k8s_config=elsewhere)

    cluster.after = move
    assert look(pool.k8s_config) is True
    assert cluster.called("create_pod") == []
    cluster.after = lambda call: None
    pool.refresh_from_db()
    look(pool.k8s_config)
    assert len(cluster.called("create_pod")) == 1


@pytest.mark.parametrize("limit", ["maximum", "freeze window"])
def test_rows_that_the_pool_may_not_have_any_more_become_no_pods(pool: Pool, cluster: Cluster, limit: str) -> None:
    for _ in range(3):
        pods.pod(pool, phase=PodPhase.INTENDED)
    start, end = (f"{clock.now() + timedelta(hours=hours):%H:%M}" for hours in (-1, 1))
    window = {"days": list(freeze.DAYS), "start": start, "end": end, "timezone": "UTC"}
    lowered = {"max_replicas": 0} if limit == "maximum" else {"freeze_windows": [window]}
    Pool.objects.filter(pk=pool.pk).update(min_replicas=0, **lowered)
    for _ in range(4):
        look(pool.k8s_config)
    assert cluster.called("create_pod") == []
    assert pods.count(pool, PodPhase.INTENDED) == 0
