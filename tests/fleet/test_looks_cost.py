"""What a look asks of the database does not grow with pools, pods and their history."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iacplatform.base import clock
from pools.models import K8sConfig, Pod, PodPhase
from tests import factories
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, labels, look
from tests.tasks import factories as tasks

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]


def grow(config: K8sConfig, cluster: Cluster, pools: int, pods_each: int) -> None:
    """Have pools whose pods all serve, and one pod each that waits for a node."""
    for _ in range(pools):
        pool = pods.pool(k8s_config=config, min_replicas=pods_each + 1, max_replicas=pods_each + 1)
        for number in range(pods_each + 1):
            serves = number < pods_each
            known = {"connected_at": clock.now(), "phase": PodPhase.RUNNING} if serves else {"equipped_at": clock.now()}
            pod = pods.pod(pool, **known)
            if serves:
                tasks.agent(pod.name, pool=pool, connected=True, pod_name=pod.name, capacity=1)
            facts = {"phase": "Running"} if serves else {"unschedulable": "no nodes"}
            seen = cluster.put(pod.name, labels=labels(pod), **facts)
            Pod.objects.filter(pk=pod.pk).update(uid=seen.uid)


def cost(config: K8sConfig) -> int:
    with CaptureQueriesContext(connection) as captured:
        look(config)
    return len(captured)


def test_a_look_at_many_pools_asks_as_often_as_at_one(cluster: Cluster) -> None:
    config = factories.k8s_config()
    grow(config, cluster, 1, 1)
    look(config)
    alone = cost(config)
    grow(config, cluster, 9, 4)
    look(config)
    assert cost(config) == alone < 60
    assert [call for call, _ in cluster.calls] == ["pods"] * 4
