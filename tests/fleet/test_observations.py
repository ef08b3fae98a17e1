"""What a look shows of a pod that we mean to have: values in, columns out; no cluster and no database."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from agents.fleet import failures, observations
from agents.fleet.members import Member, Presence
from agents.fleet.observations import Sight
from agents.models import Agent
from pools.models import Pod, PodPhase
from pools.sightings import SeenPod
from tests.fleet.clusters import at, labels

NOW = at("12:00:00")
QUOTE = 'Back-off pulling image "missing/agent:1"'


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def pod(phase: PodPhase = PodPhase.STARTING, **columns: Any) -> Pod:
    made = {"pk": 7, "pool_id": "pool-1", "name": "iac-1-aaaaaaaa", "uid": "uid-1", "created_at": ago(60)}
    return Pod(phase=phase, **{**made, **columns})


def seen(of: Pod, **facts: Any) -> SeenPod:
    known = {"name": of.name, "uid": "uid-1", "phase": "Pending", "created_at": ago(60), "annotations": {}}
    return SeenPod(**{**known, "labels": labels(of), **facts})


def agent(heard: float) -> Presence:
    """Return an agent that was heard of so many seconds ago, with a lease of 45 s."""
    silent = Agent(last_seen_at=ago(heard), lease_until=ago(heard - 45), session="s")
    is_lost = heard > 45
    return Presence(agent=silent, is_connected=not is_lost, is_lost=is_lost, pause=None, last_ended=None)


def sight(of: Pod, what: SeenPod | None, **facts: Any) -> Sight:
    return Sight(member=Member(pod=of, now=NOW, **facts), seen=what)


def news(of: Pod, what: SeenPod | None, **facts: Any) -> dict[str, Any]:
    return observations.news(sight(of, what, **facts))


def failure(of: Pod, what: SeenPod | None, **facts: Any) -> str:
    trouble = failures.of(sight(of, what, **facts))
    return trouble.code if trouble else ""


def test_an_intended_pod_that_is_there_is_adopted() -> None:
    row = pod(PodPhase.INTENDED, uid="")
    assert news(row, seen(row)) == {"uid": "uid-1", "phase": PodPhase.STARTING}


def test_an_intended_pod_that_is_not_there_is_only_not_made_yet() -> None:
    assert news(pod(PodPhase.INTENDED, uid=""), None) == {}


@pytest.mark.parametrize("phase", [PodPhase.STARTING, PodPhase.RUNNING])
def test_a_pod_that_the_cluster_has_no_more_is_gone_and_says_that_we_did_not_do_it(phase: PodPhase) -> None:
    columns = news(pod(phase), None)
    assert (columns["phase"], columns["gone_at"]) == (PodPhase.GONE, NOW)
    assert columns["cause"] == "The cluster has it no more, and the platform did not delete it."


def test_a_pod_that_we_deleted_is_gone_with_the_cause_that_it_had() -> None:
    assert "cause" not in news(pod(PodPhase.DELETING, cause="It was idle."), None)


def test_a_pod_of_another_uid_is_not_this_one() -> None:
    row = pod()
    other = seen(row, uid="uid-2")
    [found], strangers = observations.match([Member(pod=row, now=NOW)], [other])
    assert (found.seen, strangers) == (None, [other])


def test_a_pod_of_another_row_is_not_adopted_for_its_name() -> None:
    row = pod(PodPhase.INTENDED, uid="")
    other = seen(pod(pk=8))
    [found], strangers = observations.match([Member(pod=row, now=NOW)], [other])
    assert (found.seen, strangers) == (None, [other])


def test_nothing_is_written_where_nothing_is_new() -> None:
    row = pod()
    assert news(row, seen(row, waiting_reason="ContainerCreating")) == {}


def test_from_its_start_an_agent_has_five_minutes_to_connect() -> None:
    row = pod(deadline=ago(-800))
    columns = news(row, seen(row, phase="Running"))
    assert columns == {"started_at": NOW, "deadline": NOW + timedelta(seconds=300)}


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_an_image_that_cannot_be_had_is_said_in_the_clusters_words(reason: str) -> None:
    row = pod()
    columns = news(row, seen(row, waiting_reason=reason, waiting_message=QUOTE))
    assert columns == {"trouble": "image_pull_failed", "trouble_words": f"{reason}: {QUOTE}", "trouble_since": NOW}


def test_a_trouble_has_lasted_since_it_was_first_seen() -> None:
    row = pod(trouble="image_pull_failed", trouble_words="ErrImagePull", trouble_since=ago(20))
    columns = news(row, seen(row, waiting_reason="ImagePullBackOff"))
    assert columns == {"trouble_words": "ImagePullBackOff"}


def test_a_trouble_that_is_over_is_forgotten() -> None:
    row = pod(trouble="pod_unschedulable", trouble_words="no nodes", trouble_since=ago(20))
    assert news(row, seen(row))["trouble"] == ""


def test_a_pod_that_no_node_takes_says_so() -> None:
    row = pod()
    columns = news(row, seen(row, unschedulable="0/1 nodes are available: 1 Insufficient cpu."))
    assert (columns["trouble"], columns["trouble_words"][:3]) == ("pod_unschedulable", "0/1")


def test_a_container_that_cannot_be_made_is_a_failed_pod() -> None:
    row = pod()
    facts = {"waiting_reason": "CreateContainerConfigError", "waiting_message": 'secret "x" not found'}
    columns = news(row, seen(row, **facts))
    assert (columns["trouble"], columns["trouble_words"]) == (
        "pod_failed",
        'CreateContainerConfigError: secret "x" not found',
    )


def test_another_container_that_fails_beside_a_connected_agent_is_nobodys_trouble() -> None:
    row = pod(PodPhase.RUNNING, connected_at=ago(30))
    assert news(row, seen(row, phase="Running", waiting_reason="CrashLoopBackOff")) == {}


@pytest.mark.parametrize(("seconds", "code"), [(29, ""), (30, "image_pull_failed")])
def test_an_image_is_awaited_for_thirty_seconds(seconds: int, code: str) -> None:
    row = pod(trouble="image_pull_failed", trouble_words=QUOTE, trouble_since=ago(seconds), deadline=ago(-600))
    assert failure(row, seen(row)) == code


@pytest.mark.parametrize(("deadline", "code"), [(1, ""), (0, "pod_unschedulable")])
def test_a_node_is_awaited_until_the_deadline(deadline: int, code: str) -> None:
    row = pod(trouble="pod_unschedulable", trouble_words="no nodes", trouble_since=ago(800), deadline=ago(-deadline))
    assert failure(row, seen(row)) == code


@pytest.mark.parametrize(("deadline", "code"), [(1, ""), (0, "agent_never_connected")])
def test_an_agent_that_runs_and_does_not_connect_in_time_is_given_up(deadline: int, code: str) -> None:
    row = pod(started_at=ago(300), deadline=ago(-deadline))
    assert failure(row, seen(row, phase="Running")) == code


def test_a_container_that_does_not_start_in_time_is_given_up_with_what_the_cluster_says() -> None:
    row = pod(deadline=ago(0))
    trouble = failures.of(sight(row, seen(row, waiting_reason="ContainerCreating")))
    assert trouble is not None
    assert (trouble.code, trouble.words) == (
        "pod_failed",
        "Its container did not start in 15 minutes: ContainerCreating.",
    )


def test_a_connected_agent_has_no_deadline() -> None:
    row = pod(PodPhase.RUNNING, connected_at=ago(900), deadline=ago(600))
    assert failure(row, seen(row, phase="Running"), presence=agent(1)) == ""


@pytest.mark.parametrize(("heard", "code"), [(74, ""), (76, "pod_failed")])
def test_an_agent_that_was_cut_off_may_come_back_for_a_while(heard: int, code: str) -> None:
    row = pod(PodPhase.RUNNING, connected_at=ago(900))
    assert news(row, seen(row, phase="Running", node="n1"), presence=agent(heard)).get("trouble", "") == code


def test_a_silent_agent_is_said_with_what_the_cluster_thinks_of_its_node() -> None:
    row = pod(PodPhase.RUNNING, connected_at=ago(900))
    words = news(row, seen(row, phase="Running", node="n1"), presence=agent(80))["trouble_words"]
    assert words == "Its agent has not been heard of since 11:58:40 UTC; node n1 does not call it ready."


def test_a_pod_that_ended_keeps_its_cause() -> None:
    row = pod(PodPhase.RUNNING, connected_at=ago(900))
    facts = {"exit_code": 137, "ended_reason": "OOMKilled", "ended_message": "killed"}
    columns = news(row, seen(row, phase="Failed", **facts))
    assert (columns["phase"], columns["cause"]) == (
        PodPhase.DELETING,
        "Failed: OOMKilled; exit code 137; killed",
    )
    assert "trouble" not in columns


def test_a_pod_that_ended_without_a_word_says_that() -> None:
    row = pod()
    assert news(row, seen(row, phase="Succeeded"))["cause"] == "Succeeded; the cluster does not say why."


def test_what_it_is_removed_for_stays_when_it_ends() -> None:
    row = pod(PodPhase.DRAINING, connected_at=ago(900), cause="It was idle.")
    assert "cause" not in news(row, seen(row, phase="Succeeded"))


@pytest.mark.parametrize(
    ("connected", "phase", "is_one"),
    [(None, "Failed", True), (None, "Succeeded", True), (30, "Failed", True), (90, "Failed", False)],
)
def test_a_pod_that_ends_before_it_was_of_use_is_a_false_start(connected: int | None, phase: str, is_one: bool) -> None:
    row = pod(PodPhase.RUNNING, connected_at=ago(connected) if connected else None)
    assert observations.is_false_start(sight(row, seen(row, phase=phase))) is is_one


def test_a_pod_that_was_told_to_end_is_no_false_start() -> None:
    row = pod(PodPhase.DRAINING)
    assert not observations.is_false_start(sight(row, seen(row, phase="Failed")))


def test_a_pod_that_ends_because_somebody_deletes_it_is_no_false_start() -> None:
    row = pod()
    ended = seen(row, phase="Failed", deleting=True, exit_code=143)
    assert not observations.is_false_start(sight(row, ended))
    assert news(row, ended)["cause"] == "It is being deleted, and not by the platform."


def test_a_pod_that_somebody_else_deletes_takes_nothing_new_and_has_time_to_finish() -> None:
    row = pod(PodPhase.RUNNING, connected_at=ago(90))
    columns = news(row, seen(row, phase="Running", deleting=True, disruption="preempting"), leases=1)
    assert columns == {
        "phase": PodPhase.DELETING,
        "cause": "It is being deleted, and not by the platform. preempting",
        "deadline": NOW + timedelta(seconds=960),
    }


def test_a_pod_that_does_not_end_although_it_was_told_to_says_so() -> None:
    row = pod(PodPhase.DELETING, connected_at=ago(90), deadline=ago(1))
    columns = news(row, seen(row, phase="Running", deleting=True, node="n1"))
    assert columns["trouble_words"] == "It was told to end, and n1 does not say that it did."


def test_a_pod_that_the_cluster_does_not_begin_to_delete_says_so() -> None:
    row = pod(PodPhase.DELETING, connected_at=ago(90), deadline=ago(1))
    assert "does not begin to" in news(row, seen(row, phase="Running"))["trouble_words"]
    waits = pod(PodPhase.DRAINING, connected_at=ago(90), deadline=ago(1))
    assert "trouble" not in news(waits, seen(waits, phase="Running"))
