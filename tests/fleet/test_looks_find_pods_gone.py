"""Pods that are there no more: what they held is free, nobody comes in with their token, and another one comes."""

from datetime import timedelta

import pytest

from agents.fleet import pods as fleet_pods
from agents.models import Agent
from iacplatform.base import clock
from pools.models import Pod, PodPhase, Pool, PoolToken
from tasks.states import Lease, Status
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, look
from tests.fleet.lives import again, agents_could_be_heard, pool, served, started
from tests.tasks import factories as tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("agents_could_be_heard")]

__all__ = ["agents_could_be_heard", "cluster", "pool"]


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
