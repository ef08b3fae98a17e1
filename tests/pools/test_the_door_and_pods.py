"""Pods through the door, in a real cluster that admits restricted pods alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pools import kube, pod_specs, sightings
from pools.kube import Cluster as Door
from pools.kube import SeenPod
from pools.models import ClusterStatus, Pod
from tests.cluster.cluster import Cluster
from tests.cluster.faults import Answer, DropAnswer, Rewrite
from tests.cluster.pods import is_running
from tests.cluster.pods import pod as foreign
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]


def seen(door: Door, name: str) -> SeenPod | None:
    """Return the pod as a list shows it."""
    ClusterStatus.objects.all().delete()
    return next((pod for pod in door.pods() if pod.name == name), None)


def until_seen(door: Door, name: str, look: Callable[[SeenPod], object]) -> SeenPod:
    """Return the pod as soon as `look` finds what it wants in it."""
    found: list[SeenPod | None] = []

    def looks_right() -> bool:
        found[:] = [seen(door, name)]
        return found[0] is not None and bool(look(found[0]))

    until(f"{name} looks right: {found}", looks_right)
    assert found[0]
    return found[0]


def made(cluster: Cluster, door: Door, row: Pod, image: str = "silent/agent:1") -> SeenPod:
    """Return the pod of the row; its Secret is there as well, as its node demands."""
    config = row.pool.k8s_config
    assert config
    config.image = image
    pod = door.create_pod(pod_specs.pod(row))
    door.create_secret(pod_specs.secret(row, "iacp_x", pod.uid))
    return pod


def test_the_restricted_profile_admits_our_pod(door: Door, row: Pod) -> None:
    door.dry_run(pod_specs.pod(row))
    assert door.pods() == []
    pod = door.create_pod(pod_specs.pod(row))
    assert pod.uid and (pod.name, pod.pool_id, pod.row, pod.phase) == (row.name, row.pool_id, str(row.pk), "Pending")
    assert door.pods()[0].uid == pod.uid


@pytest.mark.parametrize("part", ["runAsNonRoot", "seccompProfile", "allowPrivilegeEscalation", "capabilities"])
def test_and_would_admit_none_without_this_part(door: Door, row: Pod, part: str) -> None:
    manifest = pod_specs.pod(row)
    for context in (manifest["spec"]["securityContext"], manifest["spec"]["containers"][0]["securityContext"]):
        context.pop(part, None)
    for ask in (door.dry_run, door.create_pod):
        with pytest.raises(kube.Refused, match="violates PodSecurity") as refused:
            ask(manifest)
        assert part in refused.value.words


def test_the_cluster_keeps_the_pod_as_it_was_described(cluster: Cluster, door: Door, row: Pod) -> None:
    described = pod_specs.pod(row)
    door.create_pod(described)
    kept = cluster.pod(row.name)
    assert kept
    container, ours = kept["spec"]["containers"][0], described["spec"]["containers"][0]
    assert {name: container[name] for name in ours} == ours
    for name in described["spec"].keys() - {"containers", "tolerations", "volumes"}:
        assert kept["spec"][name] == described["spec"][name]
    assert kept["spec"]["volumes"] == described["spec"]["volumes"]
    assert kept["spec"]["serviceAccountName"] == "default" and len(kept["spec"]["containers"]) == 1


def test_a_member_that_the_api_does_not_know_is_refused_and_not_dropped(door: Door, row: Pod) -> None:
    manifest = pod_specs.pod(row)
    manifest["spec"]["tolerations"] = [{"key": "a", "operators": "Exists"}]
    with pytest.raises(kube.Refused, match="operators"):
        door.create_pod(manifest)


def test_a_pod_of_the_same_row_is_as_good_as_a_new_one(cluster: Cluster, door: Door, row: Pod) -> None:
    first = door.create_pod(pod_specs.pod(row))
    again = door.create_pod(pod_specs.pod(row))
    assert again.uid == first.uid and len(cluster.pods()) == 1


def test_an_answer_that_is_lost_makes_no_second_pod(cluster: Cluster, door: Door, row: Pod) -> None:
    cluster.proxy.fault(DropAnswer(), method="POST", path="/pods")
    with pytest.raises(kube.Unreachable):
        door.create_pod(pod_specs.pod(row))
    assert door.create_pod(pod_specs.pod(row)).uid == cluster.pods()[0]["metadata"]["uid"]
    assert len(cluster.pods()) == 1


def test_a_name_that_somebody_else_has_is_taken(cluster: Cluster, door: Door, row: Pod) -> None:
    cluster.create("pods", foreign(cluster, row.name, image="silent/agent:1"))
    with pytest.raises(kube.NameTaken, match="already exists"):
        door.create_pod(pod_specs.pod(row))
    assert door.pods() == [] and len(cluster.pods()) == 1


@pytest.mark.parametrize("label", [sightings.ROW, sightings.POOL, sightings.MANAGED_BY])
def test_a_name_that_another_row_has_is_taken(cluster: Cluster, door: Door, row: Pod, label: str) -> None:
    other = pod_specs.pod(row)
    other["metadata"]["labels"][label] = "another"
    cluster.create("pods", other)
    with pytest.raises(kube.NameTaken):
        door.create_pod(pod_specs.pod(row))


def test_a_pod_that_goes_between_two_answers_is_made_next_time(cluster: Cluster, door: Door, row: Pod) -> None:
    cluster.proxy.fault(Answer(409), method="POST", path="/pods")
    with pytest.raises(kube.Unreachable, match="and then that it does not"):
        door.create_pod(pod_specs.pod(row))
    assert door.create_pod(pod_specs.pod(row)).name == row.name


def test_only_our_own_pods_are_listed(cluster: Cluster, door: Door, row: Pod) -> None:
    cluster.create("pods", foreign(cluster, "somebody", image="silent/agent:1"))
    door.create_pod(pod_specs.pod(row))
    assert [pod.name for pod in door.pods()] == [row.name]


def test_nor_where_a_cluster_does_not_heed_what_was_asked(cluster: Cluster, door: Door, row: Pod) -> None:
    door.create_pod(pod_specs.pod(row))
    somebody: dict[str, Any] = {"name": "somebody", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    cluster.proxy.fault(Rewrite(lambda page: {**page, "items": [*page["items"], {"metadata": somebody}]}))
    assert [pod.name for pod in door.pods()] == [row.name]


def test_a_pod_is_deleted(cluster: Cluster, door: Door, row: Pod) -> None:
    pod = made(cluster, door, row)
    until_seen(door, row.name, lambda pod: pod.phase == "Running")
    assert door.delete_pod(row.name, pod.uid) is True
    cluster.until_gone(row.name)
    assert door.delete_pod(row.name, pod.uid) is False


def test_a_slow_deletion_is_seen_and_may_be_asked_for_again(cluster: Cluster, door: Door, row: Pod) -> None:
    pod = made(cluster, door, row)
    until_seen(door, row.name, lambda pod: pod.phase == "Running")
    cluster.node.stall_deletions()
    door.delete_pod(row.name, pod.uid)
    assert until_seen(door, row.name, lambda pod: pod.deleting).uid == pod.uid
    assert door.delete_pod(row.name, pod.uid) is True
    assert door.create_pod(pod_specs.pod(row)).deleting
    cluster.node.resume_deletions()
    cluster.until_gone(row.name)


def test_no_grace_takes_a_pod_away_that_no_node_answers_for(cluster: Cluster, door: Door, row: Pod) -> None:
    pod = made(cluster, door, row)
    until_seen(door, row.name, lambda pod: pod.phase == "Running")
    cluster.node.stall_deletions()
    assert door.delete_pod(row.name, pod.uid, grace_seconds=0) is True
    assert seen(door, row.name) is None


def test_a_pod_that_was_replaced_under_its_name_is_left_alone(cluster: Cluster, door: Door, row: Pod) -> None:
    first = door.create_pod(pod_specs.pod(row))
    cluster.delete("pods", row.name, grace=0)
    second = door.create_pod(pod_specs.pod(row))
    with pytest.raises(kube.Replaced, match=r"(?i)uid") as kept:
        door.delete_pod(row.name, first.uid)
    assert kept.value.status == 409
    with pytest.raises(kube.Replaced):
        door.annotate(row.name, first.uid, {"a": "b"})
    assert door.pods() == [replace(door.pods()[0], uid=second.uid, deleting=False)]
    assert "a" not in door.pods()[0].annotations


def test_annotations_come_and_go(door: Door, row: Pod) -> None:
    pod = door.create_pod(pod_specs.pod(row))
    assert door.annotate(row.name, pod.uid, {"karpenter.sh/do-not-disrupt": "true", "b": "c"}) is True
    assert door.pods()[0].annotations == {"karpenter.sh/do-not-disrupt": "true", "b": "c"}
    assert door.annotate(row.name, pod.uid, {"karpenter.sh/do-not-disrupt": None, "never-there": None}) is True
    assert door.pods()[0].annotations == {"b": "c"}


def test_a_pod_that_is_gone_takes_no_annotation(door: Door) -> None:
    assert door.annotate("iac-never", "uid", {"a": "b"}) is False


def test_a_secret_goes_with_its_pod(cluster: Cluster, door: Door, row: Pod) -> None:
    pod = made(cluster, door, row)
    assert cluster.secrets(**{sightings.ROW: str(row.pk)})[0]["metadata"]["name"] == row.name
    door.delete_pod(row.name, pod.uid, grace_seconds=0)
    until("the Secret is gone", lambda: not cluster.secrets(**{sightings.ROW: str(row.pk)}))


def test_a_secret_is_made_once_and_deleted_once(door: Door, row: Pod) -> None:
    pod = door.create_pod(pod_specs.pod(row))
    door.create_secret(pod_specs.secret(row, "iacp_x", pod.uid))
    with pytest.raises(kube.NameTaken, match="already exists"):
        door.create_secret(pod_specs.secret(row, "iacp_y", pod.uid))
    assert (door.delete_secret(row.name), door.delete_secret(row.name)) == (True, False)


def test_a_real_quota_a_lost_right_and_a_missing_namespace_speak_for_themselves(
    cluster: Cluster, door: Door, row: Pod
) -> None:
    cluster.quota(pods=0)
    with pytest.raises(kube.QuotaExceeded, match=r"requested: pods=1, used: pods=0, limited: pods=0"):
        door.create_pod(pod_specs.pod(row))
    cluster.lift_quota()
    cluster.forbid()
    until("the right is gone", lambda: not door.may("list", "pods"))
    with pytest.raises(kube.Denied, match='cannot list resource "pods"'):
        door.pods()
    cluster.allow()
    until("the right is back", lambda: door.may("list", "pods"))


def test_what_the_node_says_is_seen(cluster: Cluster, door: Door, row: Pod) -> None:
    made(cluster, door, row)
    running = until_seen(door, row.name, lambda pod: pod.phase == "Running")
    assert (running.node, running.is_over, running.exit_code) == (cluster.node.name, False, None)
    until_seen(door, row.name, lambda pod: pod.ready)
    cluster.node.kill(row.name)
    ended = until_seen(door, row.name, lambda pod: pod.is_over)
    assert (ended.phase, ended.exit_code, ended.ended_reason) == ("Failed", 137, "Error")


def test_what_a_crash_said_is_seen(cluster: Cluster, door: Door, row: Pod) -> None:
    made(cluster, door, row, "crash/agent:1")
    ended = until_seen(door, row.name, lambda pod: pod.is_over)
    assert (ended.phase, ended.exit_code) == ("Failed", 1) and "the agent has crashed" in ended.ended_message


def test_an_image_that_cannot_be_pulled_is_seen(cluster: Cluster, door: Door, row: Pod) -> None:
    made(cluster, door, row, "missing/agent:1")
    waiting = until_seen(door, row.name, lambda pod: pod.waiting_reason in {"ErrImagePull", "ImagePullBackOff"})
    assert "missing/agent:1" in waiting.waiting_message
    until("a warning is told", lambda: any("missing/agent:1" in words for words in warned(door, row)))


def test_an_eviction_and_a_lack_of_memory_are_seen(cluster: Cluster, door: Door, row: Pod) -> None:
    made(cluster, door, row)
    until_seen(door, row.name, lambda pod: pod.phase == "Running")
    cluster.node.evict(row.name)
    assert until_seen(door, row.name, lambda pod: pod.is_over).ended_reason == "Evicted"
    second = Pod.objects.create(pool=row.pool, name="iac-red-2")
    made(cluster, door, second)
    until_seen(door, second.name, lambda pod: pod.phase == "Running")
    cluster.node.oom_kill(second.name)
    assert until_seen(door, second.name, lambda pod: pod.is_over).ended_reason == "OOMKilled"


def test_a_pod_that_fits_nowhere_is_seen_in_the_schedulers_words(cluster: Cluster, door: Door, row: Pod) -> None:
    config = row.pool.k8s_config
    assert config
    config.resources = {"requests": {"cpu": "999"}}
    door.create_pod(pod_specs.pod(row))
    pod = until_seen(door, row.name, lambda pod: pod.unschedulable)
    assert "Insufficient cpu" in pod.unschedulable
    until("a warning is told", lambda: any("Insufficient cpu" in words for words in warned(door, row)))


def test_a_foreign_running_pod_has_no_warning_of_ours(cluster: Cluster, door: Door) -> None:
    cluster.create("pods", foreign(cluster, "somebody", image="silent/agent:1"))
    cluster.until_pod("somebody", is_running)
    assert door.events("somebody") == []


def warned(door: Door, row: Pod) -> list[str]:
    ClusterStatus.objects.all().delete()
    return door.events(row.name)
