"""The door of an attempt's own token: what began is reported to its end there, and nothing begins."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from agents import protocol, sweep
from agents.models import Agent
from agents.protocol import Accept, AskPermit, Finished, Heartbeat, Leaving, Log, Progress
from iacplatform.base import clock
from iacplatform.base.models import Beat
from tasks import attempts, cancellation, permits, recovery
from tasks.errors import StaleEpoch
from tasks.models import LogChunk, Task
from tasks.states import Lease, Status
from tests.agents.conftest import Later
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

Answer = tuple[int, Any]


def post(task: Task | str, body: str | bytes) -> Any:
    token = task if isinstance(task, str) else attempts.newest_of(task).token
    headers = {"Authorization": f"Bearer {token}"}
    return Client().post("/agents/v1/attempt/words", body, "application/json", headers=headers)


def say(task: Task, kind: type[Any], **members: Any) -> Answer:
    """Return the status and the JSON that a word about the task's attempt is answered with."""
    word = kind(**{"task": task.pk, "epoch": task.epoch, **members})
    answer = post(task, protocol.dump(word))
    return answer.status_code, answer.json()


def log(offset: int, data: bytes) -> dict[str, Any]:
    return {"offset": offset, "data": base64.b64encode(data).decode()}


def ended(outcome: str = "applied", **members: Any) -> dict[str, Any]:
    return {"outcome": outcome, "exit_code": 0, "seconds": 1.5, "log_bytes": 0, **members}


@pytest.fixture
def cut_off() -> Agent:
    """An agent that has no socket any more, within its lease."""
    return factories.agent("ada", connected=True, session="")


@pytest.fixture
def applying(cut_off: Agent) -> Task:
    return factories.applying(on=cut_off)


def test_a_log_is_stored_and_confirmed(applying: Task) -> None:
    names = {"task": applying.pk, "epoch": applying.epoch}
    assert say(applying, Log, **log(0, b"one\n")) == (200, [{"type": "log_stored", **names, "offset": 4}])
    assert say(applying, Log, **log(0, b"one\ntwo\n")) == (200, [{"type": "log_stored", **names, "offset": 8}])
    stored = LogChunk.objects.filter(attempt__task=applying).order_by("offset")
    assert b"".join(bytes(chunk.data) for chunk in stored) == b"one\ntwo\n"


def test_progress_shows(applying: Task) -> None:
    assert say(applying, Progress, stage="applying", done=1, total=2) == (200, [])
    row = factories.reread(applying)
    assert (row.stage, row.progress_done, row.progress_total) == ("applying", 1, 2)


def test_the_end_of_an_apply_counts(applying: Task) -> None:
    received = {"type": "received", "task": applying.pk, "epoch": applying.epoch}
    assert say(applying, Finished, **ended()) == (200, [received])
    assert factories.reread(applying).status == Status.APPLIED


def test_said_again_the_end_changes_nothing(applying: Task) -> None:
    say(applying, Finished, **ended())
    assert say(applying, Finished, **ended("failed"))[0] == 200
    assert factories.reread(applying).status == Status.APPLIED


def test_an_apply_that_was_given_up_may_still_tell_its_end(applying: Task) -> None:
    recovery.slot_lost(applying.pk, applying.agent_id, cause="Silent.", last_seen=None)
    assert factories.reread(applying).status == Status.NEEDS_ATTENTION
    assert say(applying, Finished, **ended())[0] == 200
    assert factories.reread(applying).status == Status.APPLIED


def test_a_word_is_a_heartbeat(applying: Task, later: Later) -> None:
    later(40)
    say(applying, Progress, stage="applying")
    later(40)
    _sweep_that_could_hear()
    assert factories.reread(applying).status == Status.RUNNING
    later(10)
    _sweep_that_could_hear()
    assert factories.reread(applying).status == Status.NEEDS_ATTENTION


def test_words_of_an_apply_that_was_given_up_keep_no_agent_alive(applying: Task, later: Later) -> None:
    recovery.slot_lost(applying.pk, applying.agent_id, cause="Silent.", last_seen=None)
    before = Agent.objects.get(pk=applying.agent_id).lease_until
    later(20)
    say(applying, Progress, stage="applying")
    assert Agent.objects.get(pk=applying.agent_id).lease_until == before


def test_an_apply_that_has_not_begun_goes_back(cut_off: Agent) -> None:
    task = factories.applying(on=cut_off, permitted=False)
    status, words = say(task, AskPermit)
    assert (status, [word["type"] for word in words]) == (200, ["stop"])
    row = factories.reread(task)
    assert (row.status, row.lease, row.epoch > task.epoch) == (Status.CONFIRMED, Lease.NONE, True)
    assert row.plan_digest == task.plan_digest
    assert "may begin nothing" in (row.reason or {})["message"]


def test_a_permit_of_before_is_said_again(applying: Task) -> None:
    when = attempts.newest_of(applying).permitted_at
    status, words = say(applying, AskPermit)
    assert (status, [word["type"] for word in words]) == (200, ["permit"])
    assert attempts.newest_of(applying).permitted_at == when


def test_who_went_back_may_not_ask_again(cut_off: Agent) -> None:
    task = factories.applying(on=cut_off, permitted=False)
    token = attempts.newest_of(task).token
    say(task, AskPermit)
    answer = post(token, protocol.dump(AskPermit(task=task.pk, epoch=task.epoch)))
    assert answer.status_code == 410
    assert factories.reread(task).status == Status.CONFIRMED


def test_a_cancelled_apply_that_has_not_begun_is_cancelled(cut_off: Agent) -> None:
    task = factories.applying(on=cut_off, permitted=False)
    cancellation.cancel(task, by=factories.person())
    say(task, AskPermit)
    assert factories.reread(task).status == Status.CANCELLED


def test_a_cancel_is_told_with_each_answer(applying: Task) -> None:
    cancellation.cancel(applying, by=factories.person())
    _, words = say(applying, Progress, stage="applying")
    assert words == [{"type": "cancel", "task": applying.pk, "epoch": applying.epoch, "grace_seconds": 300}]
    _, words = say(applying, Log, **log(0, b"x"))
    assert [word["type"] for word in words] == ["log_stored", "cancel"]


def test_a_plan_is_stored_and_no_slot_is_kept_for_it(cut_off: Agent) -> None:
    task = factories.planning(on=cut_off)
    attempt = attempts.newest_of(task)
    factories.keep_part(attempt, "file", b"plan")
    factories.keep_part(attempt, "json", b"{}")
    machine = {"os": "linux", "arch": "amd64"}
    names: dict[str, Any] = {"engine": "terraform", "version": "1.11.4", "lineage": "", "serial": 0, **machine}
    changes = protocol.Changes(add=1, change=0, destroy=0)
    digest = hashlib.sha256(b"plan").hexdigest()
    plan = protocol.PlanFacts(digest=digest, has_changes=True, changes=changes, **names)
    assert say(task, Finished, **ended("planned", exit_code=2, plan=plan))[0] == 200
    row = factories.reread(task)
    assert (row.status, row.lease) == (Status.APPLY_PENDING, Lease.NONE)


def test_what_was_kept_on_the_agent_goes_elsewhere(cut_off: Agent, applying: Task) -> None:
    kept = factories.awaiting_confirmation(on=cut_off)
    say(applying, Progress, stage="applying")
    assert factories.reread(kept).lease == Lease.NONE


def test_an_agent_that_is_connected_keeps_what_it_has() -> None:
    ada = factories.agent("ada", connected=True)
    applying, kept = factories.applying(on=ada), factories.awaiting_confirmation(on=ada)
    assert say(applying, Finished, **ended())[0] == 200
    assert factories.reread(kept).lease == Lease.RESERVED


def test_only_its_own_attempt_is_spoken_of(cut_off: Agent, applying: Task) -> None:
    other = factories.applying(on=cut_off)
    token = attempts.newest_of(applying).token
    for pair in ((other.pk, other.epoch), (applying.pk, applying.epoch - 1), (4711, 1)):
        word = Finished(task=pair[0], epoch=pair[1], **ended("failed"))
        assert post(token, protocol.dump(word)).status_code == 403
    assert {factories.reread(task).status for task in (applying, other)} == {Status.RUNNING}


@pytest.mark.parametrize("word", [Accept(task=1, epoch=1), Heartbeat(work=()), Leaving()])
def test_what_an_agent_says_is_not_heard_here(applying: Task, word: Any) -> None:
    answer = post(applying, protocol.dump(word))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_word")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"type": "log"}', b'{"type": "drain"}', b'{"type": "finished", "task": 1}'],
)
def test_what_is_no_word_is_refused(applying: Task, body: bytes) -> None:
    answer = post(applying, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_word")
    assert factories.reread(applying).status == Status.RUNNING


def test_a_log_that_is_no_base64_is_refused(applying: Task) -> None:
    assert say(applying, Log, offset=0, data="no base64")[0] == 400


def test_a_word_is_no_larger_than_on_a_socket(applying: Task) -> None:
    body = json.dumps({"type": "log", "data": "x" * protocol.MESSAGE_BYTES})
    assert post(applying, body).status_code == 413


@pytest.mark.parametrize("token", ["", "iaca_made-up", "iacp_made-up"])
def test_without_its_token_nobody_speaks(applying: Task, token: str) -> None:
    word = Finished(task=applying.pk, epoch=applying.epoch, **ended())
    assert post(token, protocol.dump(word)).status_code == 401
    assert factories.reread(applying).status == Status.RUNNING


def test_the_permit_at_the_door_and_the_one_on_a_socket_are_never_two(cut_off: Agent) -> None:
    """Whoever is first decides: a granted one is not taken back, a refused one is not granted."""
    task = factories.applying(on=cut_off, permitted=False)
    say(task, AskPermit)
    with pytest.raises(StaleEpoch):
        permits.ask(task.pk, task.epoch, task.agent_id)


def _sweep_that_could_hear() -> None:
    """Sweep as if a web process had been at work all the time."""
    hour_ago = clock.now() - timedelta(hours=1)
    Beat.objects.update_or_create(name="web:test", defaults={"at": clock.now(), "unbroken_since": hour_ago})
    sweep.sweep()
