"""What a lost agent still has of its log is stored with its attempt, and touches no task."""

import pytest

import tasks.logs
from agents import logs, reports
from agents.models import Agent
from agents.protocol import LogStored, Stop
from agents.sessions import Session
from tasks import removal
from tasks.models import LateResult, Task
from tests.evidence.words import attempt_of, finished, log, log_of, names, row_of, session_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_log_that_comes_after_a_person_decided_is_stored(session: Session, given_up: Task) -> None:
    before = row_of(given_up)
    stored, stop = reports.handle(session, log(given_up, 0, b"one\n"))
    assert stored == LogStored(**names(given_up), offset=4) and isinstance(stop, Stop)
    assert log_of(attempt_of(given_up)) == b"one\n"
    assert row_of(given_up) == before


def test_it_goes_on_where_the_stored_log_ends(session: Session, given_up: Task) -> None:
    for offset, data in ((0, b"one\n"), (0, b"one\ntwo\n"), (4, b"two\n"), (20, b"too far"), (8, b"three\n")):
        reports.handle(session, log(given_up, offset, data))
    assert log_of(attempt_of(given_up)) == b"one\ntwo\nthree\n"


def test_it_has_an_end_which_is_said_in_its_place(
    session: Session, given_up: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LONGEST_LOG_BYTES", 6)
    monkeypatch.setattr("tasks.models.attempt.LONGEST_LOG_BYTES", 6)
    reports.handle(session, log(given_up, 0, b"one\n"))
    reports.handle(session, log(given_up, 4, b"two\n"))
    cut = b"one\ntw\nThe log is longer than 129 MiB; what followed is not kept.\n"
    assert log_of(attempt_of(given_up)) == cut
    for offset in (8, 4, 4000):
        stored, _ = reports.handle(session, log(given_up, offset, b"more\n"))
        assert isinstance(stored, LogStored) and stored.offset == offset + 5, (
            "who is not told so sends it again and again"
        )
    assert log_of(attempt_of(given_up)) == cut
    reports.handle(session, finished(given_up, log_bytes=9000))
    assert tasks.logs.read(given_up, phase="apply").is_complete
    assert LateResult.objects.exists()


def test_it_does_not_mix_with_the_log_of_the_next_attempt(ada: Agent, session: Session) -> None:
    first = factories.planning(on=ada)
    factories.lose(first)
    second = factories.running(factories.reread(first), on=factories.agent())
    reports.handle(session, log(first, 0, b"of the first\n"))
    assert log_of(attempt_of(first)) == b"of the first\n"
    assert log_of(attempt_of(second)) == b""
    assert factories.reread(second).status == "running"


def test_another_agent_cannot_add_to_it(given_up: Task) -> None:
    eve = factories.agent("eve", connected=True)
    (stop,) = reports.handle(session_of(eve), log(given_up, 0, b"lies\n"))
    assert isinstance(stop, Stop)
    assert log_of(attempt_of(given_up)) == b""


def test_nothing_is_kept_of_a_task_that_is_gone(session: Session, given_up: Task) -> None:
    word = log(given_up, 0, b"x")
    removal.remove(given_up.workspace, force=True)
    (stop,) = reports.handle(session, word)
    assert isinstance(stop, Stop)


def test_nothing_is_added_to_a_log_that_is_complete(session: Session, ada: Agent) -> None:
    task = factories.applying(on=ada)
    reports.handle(session, log(task, 0, b"one\n"))
    reports.handle(session, finished(task, log_bytes=4))
    (again,) = reports.handle(session, log(task, 0, b"one\n"))
    (more,) = reports.handle(session, log(task, 4, b"two\n"))
    assert isinstance(again, LogStored) and again.offset == 4
    assert isinstance(more, Stop) and "is complete" in more.reason
    assert log_of(attempt_of(task)) == b"one\n"
