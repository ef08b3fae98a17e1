"""The API server is killed and started again: what is not known is an error, and nothing is lost or done twice."""

import pytest

from pools import checks, kube, pod_specs
from pools.kube import Cluster as Door
from pools.models import ClusterStatus, K8sConfig, Pod
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane

pytestmark = [pytest.mark.cluster, pytest.mark.own_control_plane, pytest.mark.django_db(transaction=True)]


def test_a_killed_api_server_is_unreachable_and_then_has_what_it_had(
    control_plane: ControlPlane, cluster: Cluster, door: Door, row: Pod
) -> None:
    pod = door.create_pod(pod_specs.pod(row))
    control_plane.api_server.kill()
    for ask in (door.pods, door.version, lambda: door.delete_pod(row.name, pod.uid)):
        with pytest.raises(kube.Unreachable):
            ask()
    control_plane.api_server.start()
    control_plane.until_ready()
    assert [seen.uid for seen in door.pods()] == [pod.uid]
    assert door.create_pod(pod_specs.pod(row)).uid == pod.uid


def test_a_database_of_the_cluster_that_is_away_makes_no_list(
    control_plane: ControlPlane, cluster: Cluster, config: K8sConfig, door: Door, row: Pod
) -> None:
    door.create_pod(pod_specs.pod(row))
    control_plane.etcd.kill()
    try:
        with pytest.raises(kube.Unreachable):
            door.pods()
        ClusterStatus.objects.all().delete()
        assert not checks.passed(checks.check(config))
    finally:
        control_plane.etcd.start()
        control_plane.until_ready()
    ClusterStatus.objects.all().delete()
    assert len(door.pods()) == 1
