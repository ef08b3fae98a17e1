"""What is seen of a pod, from the forms that statuses have in the wild."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pools import sightings

METADATA = {"name": "iac-1", "uid": "u-1", "creationTimestamp": "2026-01-02T03:04:05Z"}


def pod(status: dict[str, Any] | None = None, **metadata: Any) -> sightings.SeenPod:
    return sightings.seen({"metadata": {**METADATA, **metadata}, "status": status or {}})


def container(name: str = "agent", **state: Any) -> dict[str, Any]:
    return {"name": name, "state": state}


def test_a_pod_that_nobody_has_looked_at_yet_is_pending_and_nothing_else() -> None:
    assert pod() == sightings.SeenPod(
        name="iac-1",
        uid="u-1",
        phase="Pending",
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        labels={},
        annotations={},
    )


def test_a_pod_without_status_or_spec_is_one_too() -> None:
    assert sightings.seen({"metadata": METADATA}).phase == "Pending"
    assert sightings.seen({"metadata": METADATA, "status": None, "spec": None}).node == ""


def test_labels_say_whose_it_is() -> None:
    ours = pod(
        labels={"app.kubernetes.io/managed-by": "iacplatform", "iacplatform.io/pool": "p", "iacplatform.io/pod": "7"}
    )
    assert (ours.is_ours, ours.pool_id, ours.row) == (True, "p", "7")
    assert not pod(labels={"app.kubernetes.io/managed-by": "helm"}).is_ours


def test_a_deletion_is_seen_by_its_time() -> None:
    assert pod(deletionTimestamp="2026-01-02T03:05:05Z").deleting and not pod().deleting


def test_the_reason_of_a_wait_is_that_which_fails_not_that_which_follows_from_it() -> None:
    sidecar = container("proxy", waiting={"reason": "ImagePullBackOff", "message": "no proxy"})
    ours = container(waiting={"reason": "ContainerCreating"})
    for statuses in ([ours, sidecar], [sidecar, ours]):
        seen = pod({"containerStatuses": statuses})
        assert (seen.waiting_reason, seen.waiting_message) == ("ImagePullBackOff", "no proxy")


def test_a_container_before_ours_may_be_what_fails() -> None:
    before = [container("setup", waiting={"reason": "CreateContainerConfigError", "message": "no key"})]
    seen = pod(
        {"initContainerStatuses": before, "containerStatuses": [container(waiting={"reason": "PodInitializing"})]}
    )
    assert seen.waiting_reason == "CreateContainerConfigError"


def test_the_end_is_that_of_our_container() -> None:
    ours = container(terminated={"exitCode": 137, "reason": "OOMKilled", "message": "out"})
    other = container("proxy", terminated={"exitCode": 0, "reason": "Completed"})
    seen = pod({"phase": "Failed", "containerStatuses": [ours, other]})
    assert (seen.exit_code, seen.ended_reason, seen.ended_message, seen.is_over) == (137, "OOMKilled", "out", True)


def test_an_end_with_status_zero_is_told_from_none() -> None:
    ended = pod(
        {"phase": "Succeeded", "containerStatuses": [container(terminated={"exitCode": 0, "reason": "Completed"})]}
    )
    assert (ended.exit_code, ended.ended_reason, ended.is_over) == (0, "Completed", True)
    assert pod({"phase": "Running", "containerStatuses": [container(running={})]}).exit_code is None


def test_the_pods_own_reason_comes_before_its_containers() -> None:
    status = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
    seen = pod({**status, "containerStatuses": [container(terminated={"exitCode": 137, "reason": "Error"})]})
    assert (seen.ended_reason, seen.ended_message, seen.exit_code) == ("Evicted", status["message"], 137)


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [("PodScheduled", "False", "unschedulable"), ("DisruptionTarget", "True", "disruption")],
)
def test_conditions_speak_when_they_hold(kind: str, status: str, name: str) -> None:
    other = {"True": "False", "False": "True"}[status]
    said = {"type": kind, "status": status, "reason": "Why", "message": "In words."}
    assert getattr(pod({"conditions": [said]}), name) == "In words."
    assert getattr(pod({"conditions": [{**said, "message": ""}]}), name) == "Why"
    assert getattr(pod({"conditions": [{"type": kind, "status": status}]}), name) == kind
    assert getattr(pod({"conditions": [{**said, "status": other}]}), name) == ""


def test_ready_is_a_condition_that_holds() -> None:
    assert pod({"conditions": [{"type": "Ready", "status": "True"}]}).ready
    assert not pod({"conditions": [{"type": "Ready", "status": "Unknown"}]}).ready


@pytest.mark.parametrize(
    "thing",
    [
        None,
        {},
        {"metadata": {}},
        {"metadata": {**METADATA, "name": ""}},
        {"metadata": {**METADATA, "uid": None}},
        {"metadata": {**METADATA, "creationTimestamp": "soon"}},
        {"metadata": {**METADATA, "creationTimestamp": "2026-01-02T03:04:05"}},
        {"metadata": {**METADATA, "labels": ["x"]}},
        {"metadata": {**METADATA, "labels": {"x": ["y"]}}},
        {"metadata": {**METADATA, "labels": "x=y"}},
        {"metadata": {**METADATA, "annotations": 5}},
        {"metadata": METADATA, "status": "Running"},
        {"metadata": METADATA, "status": {"phase": ["Running"]}},
        {"metadata": METADATA, "status": {"conditions": [{"status": "True"}]}},
        {"metadata": METADATA, "status": {"containerStatuses": [{"state": {}}]}},
        {"metadata": METADATA, "status": {"containerStatuses": [{"name": "agent", "state": {"waiting": "x"}}]}},
        {"metadata": METADATA, "status": {"containerStatuses": 5}},
    ],
)
def test_what_is_no_pod_is_told_from_one(thing: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        sightings.seen(thing)
