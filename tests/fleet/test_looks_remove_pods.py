"""Pods that end, fail or vanish: the cause is kept, the pod is deleted, another one comes."""

from datetime import timedelta
from typing import Any

import pytest

from agents.fleet import pods as fleet_pods
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import Beat
from pools.errors import Refused, Throttled
from pools.models import Pod, PodPhase, Pool, PoolStatus, PoolToken
from tasks.states import Lease, Status
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, labels, look
from tests.tasks import factories as tasks

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]


@pytest.fixture
def pool() -> Pool:
    return pods.pool(min_replicas=1)


@pytest.fixture(autouse=True)
def _agents_could_be_heard() -> None:
    Beat.objects.create(name="web:1", unbroken_since=clock.now() - timedelta(hours=1))


def started(pool: Pool) -> Pod:
    """Return the pool's pod, which was just made."""
    look(pool.k8s_config)
    return Pod.objects.exclude(phase=PodPhase.GONE).get()


def served(pool: Pool, cluster: Cluster, seconds: float = 120) -> Pod:
    """Return the pool's pod, whose agent connected so long ago."""
    pod = started(pool)
    Pod.objects.update(phase=PodPhase.RUNNING, connected_at=clock.now() - timedelta(seconds=seconds))
    tasks.agent(pod.name, pool=pool, connected=True, pod_name=pod.name, capacity=1)
    cluster.change(pod.name, phase="Running", ready=True)
    return again(pod)


def again(pod: Pod) -> Pod:
    """Return the pod as its row is now."""
    return Pod.objects.get(pk=pod.pk)


def later(seconds: float) -> None:
    pods.later(seconds)
    Beat.objects.strike("web:1")
    Beat.objects.update(unbroken_since=clock.now() - timedelta(hours=1))


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_is_over_is_deleted_with_its_cause_kept_and_replaced(
    pool: Pool, cluster: Cluster, phase: str
) -> None:
    pod = served(pool, cluster)
    cluster.change(pod.name, phase=phase, ended_reason="OOMKilled", exit_code=137)
    Agent.objects.update(session="")
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == [pod.name]
    look(pool.k8s_config)
    pod.refresh_from_db()
    assert (pod.phase, pod.cause) == (PodPhase.GONE, f"{phase}: OOMKilled; exit code 137")
    assert list(cluster.pods) == [Pod.objects.get(phase=PodPhase.STARTING).name]
    assert pods.status(pool).condition_code == ""


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


def test_a_pod_that_somebody_deletes_behind_our_back_is_replaced(pool: Pool, cluster: Cluster) -> None:
    pod = served(pool, cluster)
    cluster.pods.pop(pod.name)
    look(pool.k8s_config)
    pod.refresh_from_db()
    assert (pod.phase, pod.cause) == (
        PodPhase.GONE,
        "The cluster has it no more, and the platform did not delete it.",
    )
    assert list(cluster.pods) == [Pod.objects.get(phase=PodPhase.STARTING).name]


def test_what_ran_on_a_pod_that_is_gone_is_lost_when_its_agent_is_cut_off(pool: Pool, cluster: Cluster) -> None:
    pod = served(pool, cluster)
    agent = pods.agent(pod)
    task = tasks.planning(on=agent)
    cluster.pods.pop(pod.name)
    look(pool.k8s_config)
    assert tasks.reread(task).lease == Lease.RUNNING  # it is connected: perhaps the cluster is wrong
    Agent.objects.update(session="")
    look(pool.k8s_config)
    task = tasks.reread(task)
    assert (task.lease, task.status) == (Lease.NONE, Status.PENDING)
    assert f"Pod {pod.name} is gone." in (task.reason or {})["message"]
    assert not Agent.objects.filter(pk=agent.pk).exists()


def test_a_slot_that_was_kept_on_a_pod_that_is_gone_is_kept_no_longer(pool: Pool, cluster: Cluster) -> None:
    """Incident 601: the plan is stored, and can be applied elsewhere."""
    pod = served(pool, cluster)
    kept = tasks.awaiting_confirmation(on=pods.agent(pod))
    assert kept.lease == Lease.RESERVED
    cluster.pods.pop(pod.name)
    look(pool.k8s_config)
    kept = tasks.reread(kept)
    assert (kept.lease, kept.status) == (Lease.NONE, Status.APPLY_PENDING)


def test_a_pod_in_the_middle_of_an_apply_is_not_deleted_when_its_agent_is_silent(pool: Pool, cluster: Cluster) -> None:
    pod = served(pool, cluster)
    task = tasks.needing_attention(on=pods.agent(pod))
    assert task.pod_name == pod.name
    Agent.objects.update(session="", lease_until=clock.now() - timedelta(seconds=31))
    for _ in range(3):
        look(pool.k8s_config)
    assert cluster.called("delete_pod") == []
    assert pods.count(pool, PodPhase.STARTING) == 1  # another one serves meanwhile


def test_a_pod_whose_agent_is_silent_for_too_long_is_replaced(pool: Pool, cluster: Cluster) -> None:
    pod = served(pool, cluster)
    Agent.objects.update(session="", lease_until=clock.now() - timedelta(seconds=31))
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == [pod.name]
    assert "has not been heard of since" in again(pod).cause


def test_a_pod_that_does_not_end_is_said_and_is_no_capacity(pool: Pool, cluster: Cluster) -> None:
    pod = served(pool, cluster)
    cluster.change(pod.name, deleting=True, node="n1")
    look(pool.k8s_config)
    replacement = Pod.objects.get(phase=PodPhase.STARTING)
    assert (again(pod).phase, pods.status(pool).condition_code) == (PodPhase.DELETING, "")
    Pod.objects.filter(pk=replacement.pk).update(phase=PodPhase.RUNNING, connected_at=clock.now())
    later(61)
    look(pool.k8s_config)
    assert pods.status(pool).condition_message == (
        f"Pod {pod.name}: It was told to end, and n1 does not say that it did."
    )
    cluster.pods.pop(pod.name)
    look(pool.k8s_config)
    assert (again(pod).phase, pods.status(pool).condition_code) == (PodPhase.GONE, "")


def test_a_pod_that_was_replaced_under_its_name_is_not_taken_for_it(pool: Pool, cluster: Cluster) -> None:
    pod = served(pool, cluster)
    cluster.pods.pop(pod.name)
    foreign = cluster.put(pod.name, labels={"app": "theirs"})
    look(pool.k8s_config)
    assert again(pod).phase == PodPhase.GONE
    assert cluster.pods[pod.name] == foreign


def test_who_is_gone_lets_nobody_in(pool: Pool, cluster: Cluster) -> None:
    pod = started(pool)
    cluster.pods.pop(pod.name)
    look(pool.k8s_config)
    assert not PoolToken.objects.filter(pod=pod).exists()


def test_pods_that_are_gone_for_long_are_forgotten(pool: Pool, cluster: Cluster) -> None:
    old = pods.pod(pool, phase=PodPhase.GONE, gone_at=clock.now() - fleet_pods.KEEP - timedelta(seconds=1))
    new = pods.pod(pool, phase=PodPhase.GONE, gone_at=clock.now())
    look(pool.k8s_config)
    assert not Pod.objects.filter(pk=old.pk).exists()
    assert Pod.objects.filter(pk=new.pk).exists()


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


def test_a_pod_whose_deletion_the_cluster_refuses_is_said(pool: Pool, cluster: Cluster) -> None:
    pod = served(pool, cluster)
    cluster.fail(Refused('admission webhook "keep" denied the request', 403), on="delete_pod")
    Pod.objects.filter(pk=pod.pk).update(phase=PodPhase.DRAINING)
    look(pool.k8s_config)
    Pod.objects.filter(phase=PodPhase.STARTING).update(phase=PodPhase.RUNNING, connected_at=clock.now())
    later(61)
    look(pool.k8s_config)
    assert "does not begin to" in pods.status(pool).condition_message
    cluster.heal()
    look(pool.k8s_config)
    look(pool.k8s_config)
    assert (again(pod).phase, pods.status(pool).condition_code) == (PodPhase.GONE, "")


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


def test_a_pod_that_got_work_during_the_look_stays_although_the_cluster_calls_it_failed(
    pool: Pool, cluster: Cluster
) -> None:
    """The control plane gives up a pod of a node that it has lost; the agent there may still speak to us."""
    pod = served(pool, cluster)
    cluster.change(pod.name, phase="Failed")
    workspace = tasks.workspace(execution_mode="k8s", pool=pool)

    def begin(call: str) -> None:
        if call == "pods":
            tasks.planning(on=pods.agent(pod), workspace=workspace)

    cluster.after = begin
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == []
