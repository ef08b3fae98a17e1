"""Parts of the control plane are killed and started again; nothing that was said is lost."""

import httpx
import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Hang
from tests.cluster.official import official
from tests.cluster.pods import has_ended, is_running, pod, python
from tests.waiting import until


def test_it_is_the_version_that_it_says(control_plane: ControlPlane) -> None:
    assert control_plane.admin.get("/version")["gitVersion"] == "v1.36.3"


def test_a_killed_api_server_comes_back_with_its_data(control_plane: ControlPlane, cluster: Cluster) -> None:
    cluster.create("pods", pod(cluster, "one", image="silent/agent:1"))
    before = cluster.until_pod("one", is_running)
    control_plane.api_server.kill()
    with pytest.raises(httpx.TransportError):
        cluster.pods()
    processes = cluster.node.processes("one")
    cluster.node.kill("one")
    assert processes
    control_plane.api_server.start()
    control_plane.until_ready()
    after = cluster.until_pod("one", has_ended)  # which the node could not say before
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    cluster.create("pods", python(cluster, "two", ""))
    cluster.until_pod("two", has_ended)


def test_the_platform_sees_a_broken_connection_while_the_api_server_is_away(
    control_plane: ControlPlane, cluster: Cluster
) -> None:
    core = official(cluster)
    control_plane.api_server.kill()
    with pytest.raises(Exception, match="Connection aborted"):
        core.list_namespaced_pod(cluster.namespace)
    control_plane.until_ready()
    until("it answers", lambda: not core.list_namespaced_pod(cluster.namespace).items)


def test_a_frozen_api_server_is_seen_as_one_that_hangs(cluster: Cluster) -> None:
    cluster.proxy.fault(Hang(), times=None)
    with pytest.raises(Exception, match="timed out"):
        official(cluster).list_namespaced_pod(cluster.namespace, _request_timeout=(1, 1))


def test_without_a_scheduler_pods_wait(control_plane: ControlPlane, cluster: Cluster) -> None:
    control_plane.scheduler.kill()
    cluster.create("pods", python(cluster, "one", ""))
    waiting = cluster.pod("one")
    assert waiting
    assert "nodeName" not in waiting["spec"]
    control_plane.until_ready()
    cluster.until_pod("one", has_ended)


def test_the_whole_control_plane_comes_back(control_plane: ControlPlane, cluster: Cluster) -> None:
    cluster.create("pods", pod(cluster, "one", image="silent/agent:1"))
    cluster.until_pod("one", is_running)
    for part in control_plane.parts:
        part.kill()
    control_plane.until_ready()
    assert is_running(cluster.pod("one"))
    cluster.delete("pods", "one", grace=1)
    cluster.until_gone("one")
