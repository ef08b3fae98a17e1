"""Nodes fall silent, die, come back, and are taken away; the real controllers draw their conclusions."""

import pytest

from tests.cluster.api import Object
from tests.cluster.cluster import Cluster
from tests.cluster.pods import container_state, has_ended, is_running, pod
from tests.waiting import until

SEEN_SECONDS = 120.0
"""A control plane that is not ours waits for a silent node longer than ours."""


def _running(cluster: Cluster) -> Object:
    cluster.create("pods", pod(cluster, "one", image="silent/agent:1"))
    return cluster.until_pod("one", is_running)


def _ready(pod: Object) -> str:
    conditions = {condition["type"]: str(condition["status"]) for condition in pod["status"]["conditions"]}
    return conditions["Ready"]


def test_a_lost_node_is_seen_and_its_pods_end_when_they_are_deleted_and_it_is_back(cluster: Cluster) -> None:
    _running(cluster)
    cluster.node.lose()
    cluster.until_pod("one", lambda seen: _ready(seen) == "False", seconds=SEEN_SECONDS)
    cluster.delete("pods", "one", grace=1)
    left = cluster.pod("one")
    assert left
    assert "deletionTimestamp" in left["metadata"]
    assert cluster.node.processes("one")
    cluster.node.come_back()
    cluster.until_gone("one")
    assert not cluster.node.processes("one")


@pytest.mark.timeout(600)
def test_pods_of_a_lost_node_are_deleted_by_the_cluster_where_another_node_is_well(cluster: Cluster) -> None:
    _running(cluster)
    cluster.another_node()
    cluster.node.lose()
    cluster.until_pod("one", lambda seen: "deletionTimestamp" in seen["metadata"], seconds=400)


def test_a_node_that_was_started_again_knows_nothing_of_its_containers(cluster: Cluster) -> None:
    _running(cluster)
    cluster.node.crash()
    assert not cluster.node.processes("one")
    assert is_running(cluster.pod("one"))
    cluster.node.come_back()
    done = cluster.until_pod("one", has_ended)
    assert container_state(done)["terminated"]["reason"] == "ContainerStatusUnknown"


def test_a_pod_that_was_taken_away_while_its_node_was_silent_ends_when_it_is_back(cluster: Cluster) -> None:
    _running(cluster)
    cluster.node.lose()
    cluster.delete("pods", "one", grace=0)
    assert cluster.node.processes("one")
    cluster.node.come_back()
    until("its process is gone", lambda: not cluster.node.processes("one"))


def test_a_node_that_is_removed_leaves_its_pods_to_the_cluster(cluster: Cluster) -> None:
    _running(cluster)
    cluster.node.remove()
    assert cluster.node.name not in [node["metadata"]["name"] for node in cluster.api.items("/api/v1/nodes")]
    assert is_running(cluster.pod("one"))
