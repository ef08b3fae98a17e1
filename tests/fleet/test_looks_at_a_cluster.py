"""Looks at a real control plane: what it does with what we ask, and what we make of what it answers."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from iacplatform.base import clock
from iacplatform.base.models import Beat
from pools import kube
from pools.models import ClusterStatus, K8sConfig, Pod, PodPhase, Pool, PoolToken
from tests import factories
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer, CutOff, DropAnswer, Hang
from tests.fleet import pods
from tests.fleet.clusters_of_ours import look, names, ours, pool, token_in, until
from tests.fleet.foreigners import foreign_pod
from tests.tasks import factories as tasks

pytestmark = pytest.mark.django_db(transaction=True)

Eventually = Callable[..., None]


@pytest.fixture(autouse=True)
def _agents_could_be_heard() -> None:
    Beat.objects.create(name="web:1", unbroken_since=clock.now() - timedelta(hours=1))


def row(of: Pool) -> Pod:
    return Pod.objects.exclude(phase=PodPhase.GONE).get(pool=of)


def running(of: Pool, cluster: Cluster) -> Pod:
    """Return the pool's pod once its container runs."""
    look(of)
    pod = row(of)
    cluster.until_pod(pod.name, lambda seen: seen["status"]["phase"] == "Running")
    return pod


def test_a_pod_is_made_and_runs_with_a_token_that_lets_it_in(cluster: Cluster) -> None:
    made = running(pool(cluster), cluster)
    token = token_in(cluster, made)
    assert token is not None and token.pod == made


def test_a_pod_whose_making_was_carried_out_and_not_answered_is_adopted(cluster: Cluster) -> None:
    one = pool(cluster)
    cluster.proxy.fault(DropAnswer(), method="POST", path=r"/pods")
    look(one)
    assert (row(one).phase, len(names(cluster))) == (PodPhase.INTENDED, 1)
    look(one)
    assert (row(one).phase, names(cluster)) == (PodPhase.STARTING, [row(one).name])
    assert token_in(cluster, row(one)) is not None


def test_a_secret_whose_making_was_carried_out_and_not_answered_holds_the_right_token(cluster: Cluster) -> None:
    one = pool(cluster)
    cluster.proxy.fault(DropAnswer(), method="POST", path=r"/secrets")
    look(one)
    assert row(one).equipped_at is None
    look(one)
    assert row(one).equipped_at is not None
    token = token_in(cluster, row(one))
    assert token is not None and token.pod == row(one)


def test_the_secret_ends_with_its_pod(cluster: Cluster, eventually: Eventually) -> None:
    one = pool(cluster)
    made = running(one, cluster)
    Pool.objects.update(min_replicas=0, max_replicas=0)
    until(one, lambda: Pod.objects.get(pk=made.pk).phase == PodPhase.GONE, eventually)
    eventually(lambda: not [each for each in cluster.secrets() if each["metadata"]["name"] == made.name])
    assert (ours(cluster), PoolToken.objects.count()) == ([], 0)


def test_a_pod_of_somebody_else_is_never_touched(cluster: Cluster) -> None:
    one = pool(cluster, min_replicas=0)
    row_of_it = pods.pod(one, phase=PodPhase.INTENDED)
    theirs = foreign_pod(cluster, row_of_it.name)
    Pool.objects.update(min_replicas=1)
    look(one)
    look(one)
    row_of_it.refresh_from_db()
    assert (row_of_it.phase, row(one).phase) == (PodPhase.GONE, PodPhase.STARTING)
    still = cluster.pod(row_of_it.name)
    assert still is not None and still["metadata"]["uid"] == theirs["metadata"]["uid"]
    assert "deletionTimestamp" not in still["metadata"]


def test_a_pod_that_fails_is_cleaned_up_with_its_cause_and_replaced(cluster: Cluster, eventually: Eventually) -> None:
    one = pool(cluster)
    made = running(one, cluster)
    cluster.node.oom_kill(made.name)
    until(one, lambda: Pod.objects.get(pk=made.pk).phase == PodPhase.GONE, eventually)
    made.refresh_from_db()
    assert "OOMKilled" in made.cause and "exit code 137" in made.cause
    assert "OOMKilled" in pods.status(one).condition_message
    clock.shift(timedelta(seconds=6))
    look(one)
    assert names(cluster) == [row(one).name] != [made.name]


def test_a_missing_image_is_said_in_the_clusters_words_and_given_up(cluster: Cluster, eventually: Eventually) -> None:
    one = pool(cluster, "missing/agent:1")
    until(one, lambda: pods.status(one).condition_code == "image_pull_failed", eventually)
    first = row(one)
    assert "missing/agent:1" in pods.status(one).condition_message
    clock.shift(timedelta(seconds=31))
    until(one, lambda: Pod.objects.get(pk=first.pk).phase == PodPhase.GONE, eventually)
    assert pods.status(one).condition_count == 1
    config = K8sConfig.objects.get(pools=one)
    config.image = "silent/agent:1"
    config.save()
    look(one)
    cluster.until_pod(row(one).name, lambda seen: seen["status"]["phase"] == "Running")


def test_a_pod_that_fits_nowhere_says_what_the_scheduler_says(cluster: Cluster, eventually: Eventually) -> None:
    one = pool(cluster)
    K8sConfig.objects.update(resources={"requests": {"cpu": "999"}})
    until(one, lambda: pods.status(one).condition_code == "pod_unschedulable", eventually)
    assert "Insufficient cpu" in pods.status(one).condition_message


def test_a_quota_is_said_and_lifting_it_helps(cluster: Cluster, eventually: Eventually) -> None:
    one = pool(cluster)
    cluster.quota(pods=0)
    until(one, lambda: pods.status(one).condition_code == "quota_exceeded", eventually)
    assert "exceeded quota" in pods.status(one).condition_message
    cluster.lift_quota()
    clock.shift(timedelta(seconds=61))
    until(one, lambda: row(one).phase == PodPhase.STARTING, eventually)
    assert pods.status(one).condition_code == ""


def test_missing_rights_are_said_and_giving_them_helps(cluster: Cluster, eventually: Eventually) -> None:
    one = pool(cluster)
    cluster.forbid()
    until(one, lambda: pods.status(one).condition_code == "cluster_forbidden", eventually)
    assert 'cannot list resource "pods"' in pods.status(one).condition_message
    cluster.allow()
    until(one, lambda: row(one).phase == PodPhase.STARTING, eventually)
    assert pods.status(one).condition_code == ""


def test_a_pod_that_was_deleted_behind_our_back_is_replaced(cluster: Cluster, eventually: Eventually) -> None:
    one = pool(cluster)
    made = running(one, cluster)
    cluster.delete("pods", made.name, grace=0)
    cluster.until_gone(made.name)
    look(one)
    made.refresh_from_db()
    assert (made.phase, len(names(cluster))) == (PodPhase.GONE, 1)


def test_a_restored_database_adopts_the_pod_that_works_and_removes_the_other(
    cluster: Cluster, eventually: Eventually
) -> None:
    one = pool(cluster, min_replicas=2)
    look(one)
    working, idle = Pod.objects.order_by("pk")
    tasks.agent(working.name, pool=one, connected=True, pod_name=working.name)
    Pod.objects.all().delete()
    Pool.objects.update(min_replicas=1)
    clock.shift(timedelta(seconds=61))
    Beat.objects.strike("web:1")
    Beat.objects.update(unbroken_since=clock.now() - timedelta(hours=1))
    pods.later(0)
    until(one, lambda: cluster.pod(idle.name) is None, eventually)
    assert Pod.objects.get(name=working.name).uid == working.uid
    assert working.name in names(cluster)


def test_a_pod_that_does_not_end_is_replaced_and_said(cluster: Cluster, eventually: Eventually) -> None:
    one = pool(cluster)
    made = running(one, cluster)
    cluster.node.stall_deletions()
    cluster.delete("pods", made.name)
    look(one)
    made.refresh_from_db()
    assert made.phase == PodPhase.DELETING
    assert len(names(cluster)) == 1
    Pod.objects.exclude(pk=made.pk).update(phase=PodPhase.RUNNING, connected_at=clock.now())
    clock.shift(timedelta(seconds=1000))
    look(one)
    assert "It was told to end" in pods.status(one).condition_message
    cluster.node.resume_deletions()
    until(one, lambda: Pod.objects.get(pk=made.pk).phase == PodPhase.GONE, eventually)


def test_a_pod_on_a_node_that_is_lost_is_replaced_elsewhere_and_gone_when_the_node_is_back(
    cluster: Cluster, eventually: Eventually
) -> None:
    one = pool(cluster)
    made = running(one, cluster)
    Pod.objects.update(phase=PodPhase.RUNNING, connected_at=clock.now() - timedelta(minutes=5))
    silent_since = clock.now() - timedelta(seconds=31)
    tasks.agent(made.name, pool=one, pod_name=made.name, lease_until=silent_since)
    cluster.another_node()
    cluster.node.crash()
    until(one, lambda: len(names(cluster)) == 1 and names(cluster) != [made.name], eventually)
    made.refresh_from_db()
    assert (made.phase, "has not been heard of" in made.cause) == (PodPhase.DELETING, True)
    still = cluster.pod(made.name)
    assert still is not None and "deletionTimestamp" in still["metadata"]
    cluster.until_pod(names(cluster)[0], lambda seen: seen["status"]["phase"] == "Running")
    cluster.node.come_back()
    until(one, lambda: Pod.objects.get(pk=made.pk).phase == PodPhase.GONE, eventually)


@pytest.mark.parametrize("fault", [Answer(500), CutOff(0.5), Answer(429, retry_after=2)])
def test_a_list_that_fails_is_not_an_empty_list(cluster: Cluster, fault: Answer | CutOff) -> None:
    one = pool(cluster)
    look(one)
    cluster.proxy.fault(fault, method="GET", path=r"/pods")
    look(one)
    assert (row(one).phase, pods.status(one).condition_code) == (PodPhase.STARTING, "cluster_unreachable")
    look(one)
    assert (len(names(cluster)), pods.status(one).condition_code) == (1, "")


def test_a_hanging_cluster_holds_up_its_own_look_only(cluster: Cluster) -> None:
    hanging, well = pool(cluster), factories.k8s_pool(min_replicas=0)
    cluster.proxy.fault(Hang(), times=None)
    began = time.monotonic()
    look(hanging)
    assert time.monotonic() - began < kube.LOOK_SECONDS
    assert pods.status(hanging).condition_code == "cluster_unreachable"
    until_then = ClusterStatus.objects.get(config=hanging.k8s_config_id).not_before
    assert until_then is not None and until_then > clock.now()
    assert not ClusterStatus.objects.filter(config=well.k8s_config_id, failures__gt=0).exists()
    cluster.proxy.heal()
    look(hanging)
    assert len(names(cluster)) == 1


def test_an_api_server_that_is_killed_and_comes_back_changes_nothing(
    cluster: Cluster, control_plane: ControlPlane, eventually: Eventually
) -> None:
    one = pool(cluster)
    made = running(one, cluster)
    control_plane.api_server.kill()
    Pool.objects.update(min_replicas=2)
    look(one)
    assert pods.status(one).condition_code == "cluster_unreachable"
    assert (pods.count(one), pods.phases(one)[made.name]) == (1, PodPhase.STARTING)
    control_plane.api_server.start()
    control_plane.until_ready()
    until(one, lambda: len(names(cluster)) == 2, eventually)
    assert (made.name in names(cluster), pods.count(one)) == (True, 2)
