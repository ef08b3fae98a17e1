"""What an agent failed to mask is covered where it is stored, byte for byte, and nobody reads half of it meanwhile."""

import json
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import given

import tasks.logs
from agents import covering, reports
from agents.runner import forms
from agents.runner.forms import Forms
from agents.sessions import Session
from iacplatform.base import encryption
from tasks import log_lines
from tasks.models import Task, TaskInput
from tests.agents.conftest import Connect
from tests.evidence.words import attempt_of, finished, log, log_of
from tests.leaks import BOUNDED, Leak, leaks, revealed
from tests.tasks import factories

SECRET = "correct horse\nbattery"
LINE = {"key": "k", "value": SECRET, "category": "env", "hcl": False, "sensitive": True}


def shown(leak: Leak) -> Iterator[bytes]:
    """Yield what people see after each piece, at last the whole log."""
    known, stored, held = Forms(leak.secrets, as_bytes=True), b"", 0
    for piece in [*filter(None, leak.pieces), ""]:
        settled, begun = stored[: len(stored) - held], stored[len(stored) - held :]
        safe = covering.cover(known, begun, piece.encode(), is_last=not piece)
        stored, held = settled + safe.begun + safe.data, safe.held
        yield stored[: len(stored) - held]


@BOUNDED
@given(leaks())
def test_no_split_reveals_a_value(leak: Leak) -> None:
    *_, whole = shown(leak)
    assert not revealed(leak.secrets, whole.decode(errors="replace"))
    assert len(whole) == len(leak.text.encode())


@BOUNDED
@given(leaks())
def test_no_split_reveals_one_of_very_many_values(leak: Leak) -> None:
    with mock.patch.object(forms, "FEW", 0):
        *_, whole = shown(leak)
    assert not revealed(leak.secrets, whole.decode(errors="replace"))


def test_of_more_secrets_than_anybody_should_have_the_longest_are_known_raw() -> None:
    long, short = "0123456789" * 30_000, "a small secret"
    known = Forms([long, short])
    assert [known.spans(text) for text in (f"{long}.", f"{short}.")] == [[range(len(long))], [range(len(short))]]
    assert known.spans(short.encode().hex()) and not known.spans(long.encode().hex())


@BOUNDED
@given(leaks())
def test_what_was_shown_once_stays_as_it_was(leak: Leak) -> None:
    *before, whole = shown(leak)
    assert all(whole.startswith(each) for each in before)


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_value_within_a_longer_one_reveals_nothing_of_that_one(cut: int) -> None:
    inner, outer = "s3cretpw", "postgres://u:s3cretpw@db.internal/prod"
    text = f"to {outer} and {inner}"
    *_, whole = shown(Leak([inner, outer], [text[:cut], text[cut:]]))
    assert whole.decode() == f"to {'*' * len(outer)} and {'*' * len(inner)}"


@pytest.fixture
def session(connect: Connect) -> Session:
    return connect("ada")[0]


@pytest.fixture
def planning(session: Session) -> Task:
    """A task that runs, with a sensitive value of two lines."""
    task = factories.running(factories.reread(factories.pending()))
    sealed = encryption.seal(json.dumps([LINE]).encode(), TaskInput.owner(task.pk))
    TaskInput.objects.update_or_create(task=task, defaults={"sealed_variables": sealed})
    return task


def send(session: Session, task: Task, *pieces: bytes) -> None:
    """Send what follows on what is stored."""
    for piece in pieces:
        reports.handle(session, log(task, attempt_of(task).log_stored, piece))


@pytest.mark.django_db(transaction=True)
class TestStored:
    """With a database: the pieces, and who reads them."""

    def test_a_value_that_comes_in_pieces_is_covered_in_all_of_them(self, session: Session, planning: Task) -> None:
        send(session, planning, b"is cor", b"rect", b" horse\nbatt", b"ery, you see\n")
        assert log_of(attempt_of(planning)) == b"is " + b"*" * len(SECRET) + b", you see\n"

    def test_its_beginning_is_not_shown_while_more_may_come(self, session: Session, planning: Task) -> None:
        send(session, planning, b"one\n", b"is cor")
        piece = tasks.logs.read(planning, phase="plan")
        assert (piece.data, piece.next_offset) == (b"one\nis ", 7)
        assert [line.text for line in log_lines.of(attempt_of(planning))] == ["one", "is"]
        send(session, planning, b"ner\n")
        assert tasks.logs.read(planning, phase="plan", offset=7).data == b"corner\n"

    def test_what_ends_like_its_beginning_is_shown_when_the_log_is_whole(
        self, session: Session, planning: Task
    ) -> None:
        send(session, planning, b"at the cor")
        reports.handle(session, finished(planning, "failed", exit_code=1, log_bytes=10))
        piece = tasks.logs.read(planning, phase="plan")
        assert (piece.data, piece.is_complete) == (b"at the cor", True)

    def test_of_a_lost_agent_s_log_what_may_begin_a_value_is_shown_as_stars(
        self, session: Session, planning: Task
    ) -> None:
        send(session, planning, b"one\n", b"is cor")
        factories.lose(planning)
        piece = tasks.logs.read(planning, phase="plan")
        assert (piece.data, piece.next_offset, piece.is_complete) == (b"one\nis ***", 10, True)
        assert tasks.logs.read(planning, phase="plan", offset=8).data == b"**"
        assert [line.text for line in log_lines.of(attempt_of(planning))] == ["one", "is ***"]

    @pytest.mark.parametrize(
        ("rest", "then"), [(SECRET[3:].encode(), b"*" * len(SECRET)), (b"ner\n", b"corner\n")], ids=["value", "none"]
    )
    def test_when_it_brings_the_rest_late_no_half_of_a_value_was_shown(
        self, session: Session, planning: Task, rest: bytes, then: bytes
    ) -> None:
        send(session, planning, b"is cor")
        factories.lose(planning)
        reports.take_evidence(session, log(planning, 6, rest))
        assert tasks.logs.read(planning, phase="plan").data == b"is " + then

    def test_the_attempts_own_token_is_covered_too(self, session: Session, planning: Task) -> None:
        token = attempt_of(planning).token.encode()
        send(session, planning, b"token=" + token[:9], token[9:] + b"\n")
        assert log_of(attempt_of(planning)) == b"token=" + b"*" * len(token) + b"\n"

    def test_values_that_cannot_be_read_any_more_stop_no_log(self, session: Session, planning: Task) -> None:
        TaskInput.objects.filter(task=planning).update(sealed_variables=b"iac1.gone.damaged")
        send(session, planning, b"line\n")
        assert log_of(attempt_of(planning)) == b"line\n"
