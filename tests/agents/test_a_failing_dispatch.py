"""When dispatching itself breaks: the committed request still answers, the task says so, the sweep mends it."""

from typing import Any

import pytest
from django.db import OperationalError

from agents import capacity, dispatcher, gates, sweep
from agents.candidates import Candidate
from tasks import dispatching
from tests.agents.scenes import confirm, join, offered_to
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Break every look at capacity; `broken.undo()` mends it."""

    def fail(*args: object, **options: object) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(capacity, "look", fail)
    return monkeypatch


def test_the_confirmation_stands_and_is_answered(broken: Any) -> None:
    """Incident 484: the dispatch that fails must be visible, and must neither undo nor fake the confirmation."""
    task = confirm(factories.awaiting_confirmation())
    assert task.status == "confirmed"
    assert task.reason_code == "dispatch_failed"
    assert dispatching.outcome(task)["outcome"] == "deferred"
    assert (task.reason or {})["evidence"] == {"error": "OperationalError"}


def test_the_sweep_makes_up_for_it(broken: Any) -> None:
    task = confirm(factories.awaiting_confirmation())
    broken.undo()
    ada = join("ada")
    sweep.sweep()
    assert offered_to(ada) == [task.pk]


def test_a_task_that_breaks_its_gates_does_not_keep_the_others_from_their_slots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poison, sound = factories.pending(), factories.pending()
    real = gates.first_closed

    def choke(candidate: Candidate) -> Any:
        if candidate.task.pk == poison.pk:
            raise KeyError("version")
        return real(candidate)

    monkeypatch.setattr(gates, "first_closed", choke)
    ada = join("ada")
    assert offered_to(ada) == [sound.pk]
    assert factories.reread(poison).reason_code == "dispatch_failed"


def test_the_log_names_pool_cause_and_counts(caplog: pytest.LogCaptureFixture) -> None:
    factories.pending()
    line = next(record for record in caplog.records if record.message == "Dispatched.")
    facts = [vars(line)[name] for name in ("cause", "seen", "offers", "reasons")]
    assert facts == ["created", 1, 0, "no_connected_agent:1"]


def test_a_pass_without_tasks_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    dispatcher.dispatch(None, cause="test")
    assert "Dispatched." not in caplog.text
