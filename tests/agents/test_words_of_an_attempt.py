"""What the words about an attempt do to the rows, and that saying them twice does nothing more."""

import base64
import hashlib
from itertools import pairwise
from typing import Any

import pytest

from agents import reports
from agents.models import Agent
from agents.protocol import (
    Accept,
    AskPermit,
    Changes,
    Finished,
    FromAgent,
    Log,
    LogStored,
    Permit,
    PlanFacts,
    Progress,
    ProtocolError,
    Received,
    Start,
    Stop,
    Work,
)
from agents.sessions import Rejected, Session
from tasks import attempts, cancellation, recovery
from tasks.models import Attempt, LogChunk, Task
from tasks.states import Stage, Status
from tests.agents.conftest import Connect
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(connect: Connect) -> Session:
    return connect("ada", capacity=2)[0]


@pytest.fixture
def offered(session: Session) -> Task:
    return factories.reread(factories.pending())


@pytest.fixture
def running(offered: Task) -> Task:
    return factories.running(offered)


def names(task: Task) -> dict[str, Any]:
    return {"task": task.pk, "epoch": task.epoch}


def finished(task: Task, outcome: Any = "failed", **members: Any) -> Finished:
    return Finished(**names(task), **{"outcome": outcome, "exit_code": 1, "seconds": 2.5, "log_bytes": 0, **members})


def log(task: Task, offset: int, data: bytes) -> Log:
    return Log(**names(task), offset=offset, data=base64.b64encode(data).decode())


def stored_log(task: Task) -> bytes:
    chunks = LogChunk.objects.filter(attempt__task=task).order_by("offset")
    for before, after in pairwise(chunks):
        assert before.offset + len(before.data) == after.offset
    return b"".join(bytes(chunk.data) for chunk in chunks)


def test_an_accepted_offer_starts(session: Session, offered: Task) -> None:
    (start,) = reports.handle(session, Accept(**names(offered)))
    assert isinstance(start, Start)
    assert Attempt.of_token(start.token) == attempts.newest_of(offered)
    assert factories.reread(offered).status == Status.RUNNING


def test_accepting_twice_is_accepting_once(session: Session, offered: Task) -> None:
    first = reports.handle(session, Accept(**names(offered)))
    assert reports.handle(session, Accept(**names(offered))) == first
    assert factories.reread(offered).events.filter(event="accepted").count() == 1


@pytest.mark.parametrize("epoch", [0, 7, 2**53])
def test_an_offer_of_another_epoch_is_not_there(session: Session, offered: Task, epoch: int) -> None:
    (stop,) = reports.handle(session, Accept(task=offered.pk, epoch=epoch))
    assert isinstance(stop, Stop)


@pytest.mark.parametrize("task_id", [0, -1, 4711, 2**53])
def test_words_about_a_task_that_never_was_are_refused(session: Session, task_id: int) -> None:
    names: dict[str, Any] = {"task": task_id, "epoch": 1}
    assert isinstance(reports.handle(session, Accept(**names))[0], Stop)
    assert isinstance(reports.handle(session, AskPermit(**names))[0], Stop)
    assert isinstance(reports.handle(session, Log(**names, offset=0, data=""))[0], Stop)
    assert reports.handle(session, Progress(**names, stage="planning")) == []
    ended = Finished(**names, outcome="failed", exit_code=1, seconds=1, log_bytes=0)
    assert reports.handle(session, ended) == [Received(**names)]


def test_another_agents_attempt_is_none_of_ones_business(connect: Connect, running: Task) -> None:
    eve, _ = connect("eve")
    words: list[FromAgent] = [
        Accept(**names(running)),
        AskPermit(**names(running)),
        log(running, 0, b"x"),
        finished(running),
    ]
    for word in words:
        reports.handle(eve, word)
    row = factories.reread(running)
    assert (row.status, stored_log(running)) == (Status.RUNNING, b"")


@pytest.mark.parametrize("make", [Accept, AskPermit])
def test_who_was_taken_over_is_not_heard(connect: Connect, session: Session, offered: Task, make: Any) -> None:
    """Two of one name, the first cut off for a lease: both hear of an offer, and both could have started it."""
    connect("ada", capacity=2)
    with pytest.raises(Rejected, match="took over"):
        reports.handle(session, make(**names(offered)))


def test_what_was_done_counts_though_another_connection_took_over(
    connect: Connect, session: Session, running: Task
) -> None:
    connect("ada", capacity=2, work=(Work(**names(running)),))
    reports.handle(session, log(running, 0, b"x"))
    reports.handle(session, finished(running))
    assert (factories.reread(running).status, stored_log(running)) == (Status.FAILED, b"x")


def test_a_permit_asked_twice_is_the_same_permit(session: Session) -> None:
    task = factories.applying(on=Agent.objects.get(), permitted=False)
    assert reports.handle(session, AskPermit(**names(task))) == [Permit(**names(task))]
    when = attempts.newest_of(task).permitted_at
    assert reports.handle(session, AskPermit(**names(task))) == [Permit(**names(task))]
    assert attempts.newest_of(task).permitted_at == when


def test_no_permit_for_a_stale_plan(session: Session) -> None:
    task = factories.applying(on=Agent.objects.get(), permitted=False)
    factories.store_state(task.workspace_id)
    (stop,) = reports.handle(session, AskPermit(**names(task)))
    assert isinstance(stop, Stop)
    assert factories.reread(task).confirmed_at is None


def test_no_permit_after_a_cancel(session: Session) -> None:
    task = factories.applying(on=Agent.objects.get(), permitted=False)
    cancellation.cancel(task, by=factories.person())
    assert reports.handle(session, AskPermit(**names(task))) == []
    assert attempts.newest_of(task).permitted_at is None


def test_progress_shows(session: Session, running: Task) -> None:
    reports.handle(session, Progress(**names(running), stage="planning", done=2, total=5))
    row = factories.reread(running)
    assert (row.stage, row.progress_done, row.progress_total) == ("planning", 2, 5)


def test_progress_does_not_hide_a_cancel(session: Session, running: Task) -> None:
    cancellation.cancel(running, by=factories.person())
    reports.handle(session, Progress(**names(running), stage="planning", done=3, total=5))
    row = factories.reread(running)
    assert (row.stage, row.progress_done) == (Stage.CANCELLING, 3)


def test_progress_of_an_old_epoch_changes_nothing(session: Session, running: Task) -> None:
    reports.handle(session, Progress(task=running.pk, epoch=running.epoch - 1, stage="applying"))
    assert factories.reread(running).stage == "preparing"


@pytest.mark.parametrize("number", [-5, 2**40])
def test_numbers_beyond_reason_do_not_break_progress(session: Session, running: Task, number: int) -> None:
    reports.handle(session, Progress(**names(running), stage="planning", done=number, total=number))
    assert factories.reread(running).stage == "planning"


def test_a_log_is_stored_as_it_was_sent(session: Session, running: Task) -> None:
    assert reports.handle(session, log(running, 0, b"one\n")) == [LogStored(**names(running), offset=4)]
    assert reports.handle(session, log(running, 4, b"two\n")) == [LogStored(**names(running), offset=8)]
    assert stored_log(running) == b"one\ntwo\n"


def test_a_piece_that_comes_twice_is_stored_once(session: Session, running: Task) -> None:
    for _ in range(3):
        assert reports.handle(session, log(running, 0, b"one\n")) == [LogStored(**names(running), offset=4)]
    assert stored_log(running) == b"one\n"


def test_a_gap_is_not_stored_but_asked_for(session: Session, running: Task) -> None:
    reports.handle(session, log(running, 0, b"one\n"))
    assert reports.handle(session, log(running, 9, b"late\n")) == [LogStored(**names(running), offset=4)]
    assert stored_log(running) == b"one\n"


def test_pieces_that_overlap_leave_every_byte_once(session: Session, running: Task) -> None:
    whole = bytes(range(256)) * 4
    for start, end in [(0, 300), (100, 350), (50, 60), (350, 351), (300, 1024), (0, 1024)]:
        reports.handle(session, log(running, start, whole[start:end]))
    assert stored_log(running) == whole


def test_an_empty_piece_asks_how_far_it_is(session: Session, running: Task) -> None:
    reports.handle(session, log(running, 0, b"one\n"))
    assert reports.handle(session, log(running, 0, b"")) == [LogStored(**names(running), offset=4)]


@pytest.mark.parametrize(
    ("offset", "data"), [(-1, "eA=="), (0, "no base64"), (0, "ÄÖ=="), (0, base64.b64encode(b"x" * 65537).decode())]
)
def test_what_is_no_piece_of_log_is_no_word(session: Session, running: Task, offset: int, data: str) -> None:
    with pytest.raises(ProtocolError):
        reports.handle(session, Log(**names(running), offset=offset, data=data))
    assert stored_log(running) == b""


def test_a_lost_apply_may_still_tell_its_log_and_its_end(session: Session) -> None:
    task = factories.applying(on=Agent.objects.get())
    recovery.slot_lost(task.pk, task.agent_id, cause="Silent.", last_seen=None)
    assert reports.handle(session, log(task, 0, b"done\n")) == [LogStored(**names(task), offset=5)]
    assert reports.handle(session, finished(task, "applied", exit_code=0)) == [Received(**names(task))]
    assert factories.reread(task).status == Status.APPLIED


def test_an_end_said_twice_is_one_end(session: Session, running: Task) -> None:
    end = finished(running, error_code="engine_failed", error_message="Error: Invalid block")
    for _ in range(2):
        assert reports.handle(session, end) == [Received(**names(running))]
    row = factories.reread(running)
    assert (row.status, row.error_message) == (Status.FAILED, "Error: Invalid block")
    assert row.events.filter(after="failed").count() == 1


def test_an_end_of_an_old_epoch_is_received_and_moves_nothing(session: Session, running: Task) -> None:
    recovery.slot_lost(running.pk, running.agent_id, cause="Silent.", last_seen=None)
    assert reports.handle(session, finished(running)) == [Received(**names(running))]
    assert factories.reread(running).status == Status.PENDING


def test_a_plan_comes_exactly_with_the_outcome_planned(session: Session, running: Task) -> None:
    with pytest.raises(ProtocolError, match="planned"):
        reports.handle(session, finished(running, "planned"))
    with pytest.raises(ProtocolError, match="planned"):
        reports.handle(session, finished(running, "failed", plan=facts()))


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({}, "part file was not uploaded"),
        ({"digest": "0" * 64}, "another digest"),
        ({"version": "1" * 41}, "cannot be stored"),
        ({"lineage": "l" * 101}, "cannot be stored"),
        ({"arch": "a" * 21}, "cannot be stored"),
    ],
    ids=["missing", "digest", "version", "lineage", "arch"],
)
def test_a_plan_that_cannot_be_stored_fails_its_task(
    session: Session, running: Task, members: dict[str, Any], says: str
) -> None:
    """Refused, the agent would send it for ever and the task would run for ever."""
    plan = facts(**members)
    if members:
        attempt = attempts.newest_of(running)
        factories.keep_part(attempt, "file", b"plan")
        factories.keep_part(attempt, "json", b"{}")
    assert reports.handle(session, finished(running, "planned", plan=plan)) == [Received(**names(running))]
    row = factories.reread(running)
    assert (row.status, row.error_code) == (Status.FAILED, "plan_incomplete")
    assert says in row.error_message


def test_a_plan_leaves_its_facts(session: Session, running: Task) -> None:
    attempt = attempts.newest_of(running)
    factories.keep_part(attempt, "file", b"plan")
    factories.keep_part(attempt, "json", b"{}")
    reports.handle(session, finished(running, "planned", exit_code=2, plan=facts()))
    row = factories.reread(running)
    assert (row.status, row.lease) == (Status.APPLY_PENDING, "reserved")
    assert row.changes == {"add": 1, "change": 0, "destroy": 0}


@pytest.mark.parametrize("exit_code", [2**40, -(2**40)])
def test_an_exit_code_beyond_reason_ends_the_attempt_all_the_same(
    session: Session, running: Task, exit_code: int
) -> None:
    reports.handle(session, finished(running, exit_code=exit_code, error_code="e" * 90))
    assert factories.reread(running).status == Status.FAILED


def facts(**members: Any) -> PlanFacts:
    digest = hashlib.sha256(b"plan").hexdigest()
    known = {"digest": digest, "lineage": "", "serial": 0, "engine": "terraform", "version": "1.11.4", "os": "linux"}
    changes = {"arch": "amd64", "has_changes": True, "changes": Changes(add=1, change=0, destroy=0)}
    return PlanFacts(**{**known, **changes, **members})


@pytest.fixture
def applying(session: Session) -> Task:
    return factories.applying(on=Agent.objects.get(pk=session.agent_id), permitted=False)


def test_a_permit_asked_for_again_after_the_apply_was_given_up_ends_the_attempt(
    session: Session, applying: Task
) -> None:
    assert isinstance(reports.handle(session, AskPermit(**names(applying)))[0], Permit)
    recovery.slot_lost(applying.pk, applying.agent_id, cause="The agent is gone.", last_seen=None)
    assert isinstance(reports.handle(session, AskPermit(**names(applying)))[0], Stop)
    assert factories.reread(applying).status == Status.NEEDS_ATTENTION


def test_a_permit_asked_for_while_a_cancel_is_under_way_waits_for_that_word(session: Session, applying: Task) -> None:
    cancellation.cancel(applying, by=factories.person())
    assert reports.handle(session, AskPermit(**names(applying))) == []
