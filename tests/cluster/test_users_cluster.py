"""The fixtures in a cluster that they did not start: here the control plane of the tests, known by a kubeconfig alone."""

from pathlib import Path

import pytest

from tests.cluster import kubeconfig
from tests.cluster.api import Object
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.pods import is_running, pod
from tests.cluster.users_cluster import UsersCluster


@pytest.fixture
def theirs(control_plane: ControlPlane, tmp_path: Path) -> UsersCluster:
    """Our control plane as if somebody else had started it."""
    file = tmp_path / "kubeconfig"
    identity = control_plane.identity
    file.write_text(kubeconfig.of_token(identity.url, identity.authority, identity.token))
    return UsersCluster(file, tmp_path)


def _names(cluster: ControlPlane, path: str) -> list[str]:
    things: list[Object] = cluster.admin.items(path)
    return [thing["metadata"]["name"] for thing in things]


def test_nothing_of_a_test_is_left(control_plane: ControlPlane, theirs: UsersCluster) -> None:
    with theirs, Cluster(theirs) as cluster:
        cluster.create("pods", pod(cluster, "one", image="silent/agent:1"))
        cluster.until_pod("one", is_running)
        node = cluster.node.name
        assert node in _names(control_plane, "/api/v1/nodes")
    assert cluster.namespace not in _names(control_plane, "/api/v1/namespaces")
    assert node not in _names(control_plane, "/api/v1/nodes")


def test_pods_of_others_do_not_run_on_our_node(theirs: UsersCluster, cluster: Cluster) -> None:
    with Cluster(theirs) as other:
        stranger = pod(other, "one", image="silent/agent:1")
        stranger["spec"] |= {"nodeSelector": {}, "tolerations": [{"operator": "Exists"}], "nodeName": cluster.node.name}
        other.create("pods", stranger)
        cluster.create("pods", pod(cluster, "mine", image="silent/agent:1"))
        cluster.until_pod("mine", is_running)
        assert list(cluster.node.outputs()) == ["mine"]
        left = other.pod("one")
        assert left
        assert left["status"]["phase"] == "Pending"
