"""While a slot of a pod is held, whoever tidies up nodes is told to leave the pod alone."""

import pytest

from agents.fleet.leases import PINNED
from iacplatform.base import clock
from pools.errors import Denied
from pools.models import K8sConfig, Pod, PodPhase, Pool
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, look
from tests.tasks import factories as tasks

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]


@pytest.fixture
def pod(cluster: Cluster) -> Pod:
    """A pod whose agent is connected."""
    pool = pods.pool(min_replicas=1)
    look(pool.k8s_config)
    Pod.objects.update(phase=PodPhase.RUNNING, connected_at=clock.now())
    made = Pod.objects.get()
    tasks.agent(made.name, pool=pool, connected=True, pod_name=made.name, capacity=1)
    cluster.change(made.name, phase="Running")
    return made


def config(pod: Pod) -> K8sConfig:
    return K8sConfig.objects.get(pools=pod.pool_id)


def test_a_pod_is_pinned_while_a_slot_of_it_is_held_and_not_longer(pod: Pod, cluster: Cluster) -> None:
    look(config(pod))
    assert cluster.pods[pod.name].annotations == {}
    task = tasks.awaiting_confirmation(on=pods.agent(pod))
    look(config(pod))
    assert cluster.pods[pod.name].annotations == PINNED
    tasks.lose(task)
    look(config(pod))
    assert cluster.pods[pod.name].annotations == {}


def test_it_is_told_once(pod: Pod, cluster: Cluster) -> None:
    tasks.planning(on=pods.agent(pod))
    look(config(pod))
    look(config(pod))
    assert cluster.called("annotate") == [pod.name]


def test_what_the_config_says_itself_comes_back(pod: Pod, cluster: Cluster) -> None:
    own = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}
    K8sConfig.objects.update(annotations=own)
    cluster.change(pod.name, annotations=own)
    task = tasks.awaiting_confirmation(on=pods.agent(pod))
    look(config(pod))
    tasks.lose(task)
    look(config(pod))
    assert cluster.pods[pod.name].annotations == own


def test_a_missing_right_is_said_and_holds_up_nothing_else(pod: Pod, cluster: Cluster) -> None:
    tasks.planning(on=pods.agent(pod))
    cluster.fail(Denied('User "iacplatform" cannot patch resource "pods"', 403), on="annotate")
    Pool.objects.update(min_replicas=2)
    look(config(pod))
    status = pods.status(pod.pool)
    assert (status.condition_code, status.retry_at) == ("cluster_forbidden", None)
    assert pods.count(pod.pool, PodPhase.STARTING) == 1
    cluster.heal()
    look(config(pod))
    assert pods.status(pod.pool).condition_code == ""
