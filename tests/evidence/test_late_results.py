"""What a lost agent says of its end when the task has gone on: kept with the attempt, and nothing moves."""

import pytest

from agents import reports
from agents.models import Agent
from agents.protocol import Received
from agents.sessions import Session
from tasks import removal
from tasks.models import LateResult, Plan, Task
from tests.evidence.words import attempt_of, finished, names, row_of, session_of
from tests.plan_facts import plan_facts
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_result_that_comes_after_a_person_decided_is_kept_and_moves_nothing(session: Session, given_up: Task) -> None:
    before, events = row_of(given_up), given_up.events.count()
    said = finished(given_up, "failed", exit_code=1, error_code="engine_failed", error_message="Error: no quota")
    assert reports.handle(session, said) == [Received(**names(given_up))]
    late = LateResult.objects.get()
    assert late.attempt == attempt_of(given_up)
    assert (late.outcome, late.exit_code, late.seconds, late.error_message) == ("failed", 1, 2.5, "Error: no quota")
    assert (row_of(given_up), given_up.events.count()) == (before, events)


def test_the_same_result_twice_is_kept_once(session: Session, given_up: Task) -> None:
    for _ in range(2):
        assert reports.handle(session, finished(given_up)) == [Received(**names(given_up))]
    assert LateResult.objects.count() == 1


def test_an_attempt_ends_once_so_its_first_word_counts(session: Session, given_up: Task) -> None:
    reports.handle(session, finished(given_up, "applied"))
    reports.handle(session, finished(given_up, "failed"))
    assert LateResult.objects.get().outcome == "applied"


def test_a_plan_that_ends_after_another_one_took_its_place_is_no_plan(ada: Agent, session: Session) -> None:
    """Scenario S17: its apply may have begun already."""
    first = factories.planning(on=ada)
    factories.lose(first)
    later = factories.awaiting_confirmation(factories.running(factories.reread(first), on=factories.agent()))
    applying = factories.running(factories.confirm(later), on=factories.agent())
    before = row_of(applying)
    said = finished(first, "planned", plan=plan_facts(add=9))
    assert reports.handle(session, said) == [Received(**names(first))]
    assert row_of(applying) == before and Plan.objects.count() == 1
    assert LateResult.objects.get().attempt == attempt_of(first)


def test_a_result_under_the_lost_epoch_is_no_late_one(session: Session, lost: Task) -> None:
    reports.handle(session, finished(lost, "applied"))
    reports.handle(session, finished(lost, "applied"))
    assert factories.reread(lost).status == "applied"
    assert not LateResult.objects.exists()


def test_another_agent_says_nothing_of_it(given_up: Task) -> None:
    eve = factories.agent("eve", connected=True)
    assert reports.handle(session_of(eve), finished(given_up)) == [Received(**names(given_up))]
    assert not LateResult.objects.exists()


def test_nothing_is_kept_of_a_task_that_is_gone(session: Session, given_up: Task) -> None:
    word = finished(given_up)
    removal.remove(given_up.workspace, force=True)
    assert reports.handle(session, word) == [Received(**names(given_up))]
    assert not LateResult.objects.exists()
