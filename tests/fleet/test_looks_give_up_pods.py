"""Pods that do not come to be of use: each has its time, the cluster's words are kept, and the next one has its pause."""

from datetime import timedelta
from typing import Any

import pytest

from iacplatform.base import clock
from pools.errors import Throttled
from pools.models import Pod, PodPhase, Pool, PoolStatus
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, labels, look
from tests.fleet.lives import again, agents_could_be_heard, later, pool, started

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("agents_could_be_heard")]

__all__ = ["agents_could_be_heard", "cluster", "pool"]


def test_a_pod_that_fails_before_it_is_of_use_is_replaced_after_a_pause(pool: Pool, cluster: Cluster) -> None:
    pod = started(pool)
    cluster.change(pod.name, phase="Failed", ended_reason="Error", exit_code=1)
    look(pool.k8s_config)
    look(pool.k8s_config)
    status = pods.status(pool)
    assert (status.condition_code, status.condition_message) == ("pod_failed", "Failed: Error; exit code 1")
    assert (status.condition_count, pods.count(pool, PodPhase.GONE), pods.count(pool)) == (1, 1, 1)
    later(6)
    look(pool.k8s_config)
    assert pods.count(pool, PodPhase.STARTING) == 1
    assert pods.status(pool).condition_code == "pod_failed"


def test_an_agent_that_connects_ends_the_condition(pool: Pool, cluster: Cluster) -> None:
    test_a_pod_that_fails_before_it_is_of_use_is_replaced_after_a_pause(pool, cluster)
    Pod.objects.filter(phase=PodPhase.STARTING).update(phase=PodPhase.RUNNING, connected_at=clock.now())
    look(pool.k8s_config)
    status = pods.status(pool)
    assert (status.condition_code, status.condition_count, status.retry_at) == ("", 0, None)


def test_a_pod_without_its_image_is_given_up_after_thirty_seconds(pool: Pool, cluster: Cluster) -> None:
    pod = started(pool)
    cluster.change(pod.name, waiting_reason="ImagePullBackOff", waiting_message="Back-off pulling image")
    look(pool.k8s_config)
    assert pods.status(pool).condition_message == f"Pod {pod.name}: ImagePullBackOff: Back-off pulling image"
    later(31)
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == [pod.name]
    look(pool.k8s_config)
    pod.refresh_from_db()
    assert (pod.phase, pod.cause) == (PodPhase.GONE, "ImagePullBackOff: Back-off pulling image")
    assert (pods.status(pool).condition_code, pods.status(pool).condition_count) == ("image_pull_failed", 1)


def test_a_pod_that_no_node_takes_is_said_at_once_and_given_time(pool: Pool, cluster: Cluster) -> None:
    pod = started(pool)
    cluster.change(pod.name, unschedulable="0/3 nodes are available")
    look(pool.k8s_config)
    assert pods.status(pool).condition_code == "pod_unschedulable"
    later(800)
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == []
    cluster.change(pod.name, unschedulable="")
    look(pool.k8s_config)
    assert pods.status(pool).condition_code == ""


def test_a_pod_whose_agent_never_connects_is_replaced(pool: Pool, cluster: Cluster) -> None:
    pod = started(pool)
    cluster.change(pod.name, phase="Running")
    look(pool.k8s_config)
    later(301)
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == [pod.name]
    assert pods.status(pool).condition_code == "agent_never_connected"
    later(6)
    look(pool.k8s_config)
    assert (again(pod).phase, pods.count(pool, PodPhase.STARTING)) == (PodPhase.GONE, 1)


def test_a_pod_that_does_not_start_is_given_up_with_the_clusters_latest_warning(pool: Pool, cluster: Cluster) -> None:
    pod = started(pool)
    cluster.change(pod.name, waiting_reason="ContainerCreating")
    cluster.warnings[pod.name] = ["FailedMount: no such volume", "older"]
    later(901)
    look(pool.k8s_config)
    assert again(pod).cause == (
        "Its container did not start in 15 minutes: ContainerCreating. FailedMount: no such volume"
    )


def test_five_pods_in_a_row_that_come_to_nothing_make_the_next_ones_single(pool: Pool, cluster: Cluster) -> None:
    Pool.objects.update(min_replicas=3)
    PoolStatus.objects.update_or_create(
        pool=pool,
        defaults={"condition_code": "pod_failed", "condition_count": 5, "condition_since": clock.now(), "desired": 3},
    )
    look(pool.k8s_config)
    assert (pods.count(pool, PodPhase.INTENDED), pods.count(pool, PodPhase.STARTING)) == (2, 1)
    look(pool.k8s_config)
    assert len(cluster.called("create_pod")) == 1
    cluster.change(Pod.objects.get(phase=PodPhase.STARTING).name, phase="Failed")
    look(pool.k8s_config)
    status = pods.status(pool)
    assert status.condition_count == 6
    assert status.retry_at is not None
    assert timedelta(seconds=290) < status.retry_at - clock.now() <= timedelta(seconds=300)


def test_many_pods_that_fail_at_once_cost_one_more_call(pool: Pool, cluster: Cluster) -> None:
    look(pool.k8s_config)
    late: dict[str, Any] = {"phase": PodPhase.STARTING, "deadline": clock.now(), "started_at": clock.now()}
    for _ in range(4):
        made = pods.pod(pool, **late)
        Pod.objects.filter(pk=made.pk).update(uid=cluster.put(made.name, labels=labels(made)).uid)
    cluster.fail(Throttled("The calls to this cluster are used up.", 0.2), on="events")
    cluster.calls.clear()
    look(pool.k8s_config)
    assert len(cluster.called("events")) == 1
    assert pods.status(pool).condition_code == "agent_never_connected"
    assert len(cluster.called("delete_pod")) == 4
