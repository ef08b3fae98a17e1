"""Pods that end, or do not when they should: the cause is kept, the pod is deleted, another one comes."""

from datetime import timedelta

import pytest

from agents.models import Agent
from iacplatform.base import clock
from pools.errors import Refused
from pools.models import Pod, PodPhase, Pool
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, look
from tests.fleet.lives import again, agents_could_be_heard, later, pool, served
from tests.tasks import factories as tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("agents_could_be_heard")]

__all__ = ["agents_could_be_heard", "cluster", "pool"]


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
