"""A cluster that does not answer, or not wholly: nothing is made, removed or scaled, and its pools say why."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from agents.fleet import jobs, looks
from iacplatform.base import clock
from pools import budgets
from pools.errors import ClusterError, Denied, Throttled, TimeUp, Unreachable
from pools.models import ClusterStatus, K8sConfig, Pod, PodPhase, Pool
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, fails_and_rests, look
from tests.other_process import hold
from tests.races.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]

SILENCE = Unreachable("No answer from the cluster: timed out")


@pytest.fixture
def pool() -> Pool:
    return pods.pool(min_replicas=1)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SILENCE, "cluster_unreachable"),
        (Unreachable("etcdserver: leader changed", 500), "cluster_unreachable"),
        (Unreachable("It answered with a part of its list of pods.", 200), "cluster_unreachable"),
        (Throttled("too many requests", 2.0, 429), "cluster_unreachable"),
        (Denied('User "iacplatform" cannot list resource "pods"', 403), "cluster_forbidden"),
        (Denied("Unauthorized", 401), "cluster_forbidden"),
    ],
)
def test_a_list_that_fails_changes_nothing_and_is_said(
    pool: Pool, cluster: Cluster, error: ClusterError, code: str
) -> None:
    look(pool.k8s_config)
    before = Pod.objects.values().get()
    Pool.objects.update(min_replicas=3)
    cluster.fail(error)
    look(pool.k8s_config)
    assert Pod.objects.values().get() == before
    status = pods.status(pool)
    assert (status.condition_code, status.condition_message, status.condition_count) == (code, error.words, 1)
    cluster.heal()
    pods.later(6)
    look(pool.k8s_config)
    assert (pods.status(pool).condition_code, pods.count(pool)) == ("", 3)


def test_a_cluster_that_fails_rests_longer_each_time_and_at_most_a_minute(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(SILENCE)
    for seconds in (5, 10, 20, 40, 60, 60):
        assert fails_and_rests(pool.k8s_config, seconds)
        pods.later(61)


def test_it_is_not_asked_while_it_rests(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(SILENCE)
    look(pool.k8s_config)
    look(pool.k8s_config)
    assert len(cluster.calls) == 1


def test_whatever_is_changed_a_cluster_that_asked_for_rest_gets_it(pool: Pool, cluster: Cluster) -> None:
    assert pool.k8s_config_id is not None
    cluster.fail(Throttled("Too many requests", 30.0, 429))
    budgets.hold(pool.k8s_config_id, 30.0)
    ClusterStatus.objects.update(not_before=None)
    look(pool.k8s_config)
    cluster.heal()
    K8sConfig.objects.get().save()
    pods.later(20)
    look(pool.k8s_config)
    assert len(cluster.calls) == 1
    pods.later(11)
    look(pool.k8s_config)
    assert len(cluster.calls) > 1


def test_a_change_of_the_config_is_tried_at_once(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(SILENCE)
    look(pool.k8s_config)
    cluster.heal()
    K8sConfig.objects.get().save()
    look(pool.k8s_config)
    assert list(cluster.pods) == [Pod.objects.get().name]


def test_a_cluster_that_falls_silent_in_the_middle_keeps_what_was_done(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(SILENCE, on="create_secret")
    look(pool.k8s_config)
    assert (Pod.objects.get().phase, pods.status(pool).condition_code) == (PodPhase.STARTING, "cluster_unreachable")
    cluster.heal()
    pods.later(6)
    look(pool.k8s_config)
    assert cluster.token_of(Pod.objects.get()) is not None


def test_an_empty_budget_is_no_fault_and_the_rest_comes_soon(pool: Pool, cluster: Cluster) -> None:
    cluster.fail(Throttled("The calls to this cluster are used up.", 0.4), on="create_pod")
    look(pool.k8s_config)
    status = ClusterStatus.objects.get()
    assert (status.failures, pods.status(pool).condition_code) == (0, "")
    assert status.asked_at is not None and status.began_at is not None and status.asked_at > status.began_at


def test_what_does_not_fit_into_the_time_of_a_look_asks_for_another_one(
    pool: Pool, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pools.kube.LOOK_SECONDS", -1)
    assert look(pool.k8s_config) is True
    assert (cluster.pods, pods.count(pool, PodPhase.INTENDED)) == ({}, 1)


def test_a_cluster_so_slow_that_the_time_ends_in_the_middle_of_a_pod_is_not_called_unreachable(
    pool: Pool, cluster: Cluster
) -> None:
    cluster.fail(TimeUp("It answers so slowly that 30 seconds were not enough."), on="create_secret")
    assert look(pool.k8s_config) is True
    assert (Pod.objects.get().phase, pods.status(pool).condition_code) == (PodPhase.STARTING, "")
    cluster.heal()
    assert look(pool.k8s_config) is False
    assert cluster.token_of(Pod.objects.get()) is not None


def test_two_workers_look_one_after_the_other(pool: Pool, cluster: Cluster, other: psycopg.Connection) -> None:
    hold(other, f"cluster:{pool.k8s_config_id}")
    assert look(pool.k8s_config) is False
    assert cluster.calls == []
    other.execute("SELECT pg_advisory_unlock_all()")
    look(pool.k8s_config)
    assert len(cluster.pods) == 1


def test_two_workers_at_once_make_one_pod(pool: Pool, cluster: Cluster) -> None:
    assert race(lambda: look(pool.k8s_config), lambda: look(pool.k8s_config)) == [False, False]
    assert (len(cluster.called("create_pod")), pods.count(pool)) == (1, 1)


def test_one_worker_at_most_looks_at_clusters_that_failed(
    pool: Pool, cluster: Cluster, other: psycopg.Connection
) -> None:
    cluster.fail(SILENCE)
    look(pool.k8s_config)
    pods.later(6)
    cluster.heal()
    hold(other, looks.TROUBLED)
    look(pool.k8s_config)
    assert len(cluster.calls) == 1
    well = pods.pool(min_replicas=1)
    look(well.k8s_config)
    assert len(cluster.called("create_pod")) == 1


def test_a_fault_of_ours_is_said_too(pool: Pool, cluster: Cluster) -> None:
    def fault(call: str) -> None:
        raise KeyError("secret text")

    cluster.fault = fault
    look(pool.k8s_config)
    assert pods.status(pool).condition_message == ("The look at it broke off (KeyError); the worker's log says more.")
    cluster.heal()
    pods.later(6)
    look(pool.k8s_config)
    assert pods.status(pool).condition_code == ""


def test_a_look_that_took_its_worker_with_it_is_trouble_too(
    pool: Pool, cluster: Cluster, other: psycopg.Connection
) -> None:
    look(pool.k8s_config)
    ClusterStatus.objects.update(began_at=clock.now())
    hold(other, looks.TROUBLED)
    look(pool.k8s_config)
    assert len(cluster.called("pods")) == 1
    other.execute("SELECT pg_advisory_unlock_all()")
    look(pool.k8s_config)
    assert len(cluster.called("pods")) == 2


def test_whoever_asks_while_a_look_runs_gets_another_one(pool: Pool, cluster: Cluster) -> None:
    cluster.after = lambda call: jobs.ask({pool.pk}) if call == "pods" else None
    assert look(pool.k8s_config) is True


def test_a_pool_that_is_refused_holds_up_no_other_pool_of_the_cluster(pool: Pool, cluster: Cluster) -> None:
    beside = pods.pool(min_replicas=1, k8s_config=pool.k8s_config)
    refused = min(pool, beside, key=lambda each: each.name)

    def refuse() -> Callable[[str], None]:
        created = iter([True, False])

        def fault(call: str) -> None:
            if call == "create_pod" and next(created):
                raise Denied("no", 403)

        return fault

    cluster.fault = refuse()
    look(pool.k8s_config)
    assert pods.status(refused).condition_code == "cluster_forbidden"
    assert [pod.phase for pod in Pod.objects.exclude(pool=refused)] == [PodPhase.STARTING]


def test_a_look_that_failed_long_ago_forgets_it(pool: Pool, cluster: Cluster) -> None:
    ClusterStatus.objects.update_or_create(config=pool.k8s_config, defaults={"failures": 3})
    look(pool.k8s_config)
    status = ClusterStatus.objects.get()
    assert (status.failures, status.looked_at is not None) == (0, True)
    assert clock.now() - (status.looked_at or clock.now()) < timedelta(seconds=10)


def test_pods_that_cannot_be_made_keep_none_from_being_removed(pool: Pool, cluster: Cluster) -> None:
    look(pool.k8s_config)
    leaving = Pod.objects.get()
    Pod.objects.update(phase=PodPhase.DRAINING)
    cluster.fail(Unreachable("failed calling webhook", 500), on="create_pod")
    look(pool.k8s_config)
    pods.later(6)
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == [leaving.name]
    assert pods.status(pool).condition_code == "cluster_unreachable"
