"""Any process may dispatch at any time: no slot is given twice, no task offered twice."""

from typing import Any

import pytest
from django.db import transaction

from agents import capacity, dispatcher, gates, sweep, turns
from agents.candidates import Candidate
from iacplatform.base import clock
from pools.models import Pool
from tasks import attempts
from tasks.models import Task, TaskEvent
from tasks.signals import task_moved
from tasks.states import Lease
from tests import other_process
from tests.agents.scenes import offered_to
from tests.races.racing import race
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nobody dispatches but the test."""
    monkeypatch.setattr(task_moved, "send_robust", lambda **facts: [])
    return monkeypatch


def dispatch() -> None:
    dispatcher.dispatch(Pool.objects.local().pk, cause="test")


def test_many_dispatchers_give_each_slot_once(quiet: pytest.MonkeyPatch) -> None:
    ada = factories.agent("ada", connected=True, capacity=3)
    bob = factories.agent("bob", connected=True, capacity=2)
    tasks = [factories.pending() for _ in range(8)]
    assert race(*[dispatch] * 6) == [None] * 6
    assert len(offered_to(ada)) + len(offered_to(bob)) == 5
    assert {task.reason_code for task in Task.objects.filter(lease=Lease.NONE)} == {"no_free_slot"}
    assert TaskEvent.objects.filter(event="offered").count() == 5
    assert Task.objects.filter(pk__in=[task.pk for task in tasks]).exclude(lease=Lease.NONE).count() == 5


def test_without_turns_the_database_still_refuses_the_second_tenant(quiet: pytest.MonkeyPatch) -> None:
    """What the turns save is work and wrong reasons; what keeps a slot from two tasks is the unique index."""
    quiet.setattr(turns, "wait", lambda pool_id: clock.now())
    ada = factories.agent("ada", connected=True, capacity=2)
    for _ in range(6):
        factories.pending()
    assert race(*[dispatch] * 4) == [None] * 4
    taken = Task.objects.leased_by(ada.pk).values_list("slot", flat=True)
    assert len(taken) == len(set(taken))


def test_sweeps_at_once_do_what_one_does(quiet: pytest.MonkeyPatch) -> None:
    ada = factories.agent("ada", connected=True, capacity=4)
    tasks = [factories.pending() for _ in range(4)]
    assert set(race(*[sweep.sweep] * 4)) <= {True, False}
    assert offered_to(ada) == [task.pk for task in tasks]
    assert TaskEvent.objects.filter(event="offered").count() == 4


def test_a_row_that_somebody_holds_is_passed_over(quiet: pytest.MonkeyPatch) -> None:
    """A confirmation that is about to commit brings its own pass; waiting for it would hold up the whole pool."""
    held, free = factories.pending(), factories.pending()
    ada = factories.agent("ada", connected=True)
    with other_process.session() as other:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM tasks_task WHERE id = %s FOR NO KEY UPDATE", [held.pk])
        dispatch()
        assert offered_to(ada) == [free.pk]
    dispatch()
    assert offered_to(ada) == [held.pk, free.pk]


def test_a_reservation_that_is_being_confirmed_is_not_taken(quiet: pytest.MonkeyPatch) -> None:
    ada = factories.agent("ada", connected=True, capacity=1)
    holder, waiting = factories.awaiting_confirmation(on=ada), factories.pending()
    with other_process.session() as other:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM tasks_task WHERE id = %s FOR NO KEY UPDATE", [holder.pk])
        dispatch()
    assert factories.reread(waiting).reason_code == "no_free_slot"
    assert factories.reread(holder).lease == Lease.RESERVED


def test_the_reason_is_written_with_the_decision_or_not_at_all(quiet: pytest.MonkeyPatch) -> None:
    first, second = factories.pending(), factories.pending()
    with pytest.raises(RuntimeError), transaction.atomic():
        dispatch()
        assert factories.reread(first).reason_code == "no_connected_agent"
        raise RuntimeError
    assert {factories.reread(task).reason_code for task in (first, second)} == {"dispatching"}


def test_a_task_cancelled_in_the_instant_of_its_offer_stays_cancelled(quiet: pytest.MonkeyPatch) -> None:
    task = factories.pending()
    ada = factories.agent("ada", connected=True, capacity=1)
    real = attempts.offer

    def cancelled_first(row: Task, place: attempts.Place) -> Any:
        Task.objects.filter(pk=row.pk).update(epoch=99)
        return real(row, place)

    quiet.setattr(attempts, "offer", cancelled_first)
    dispatch()
    assert (offered_to(ada), factories.reread(task).epoch) == ([], 99)


def test_the_gates_ask_each_question_once(django_assert_num_queries: Any) -> None:
    task = factories.confirmed()
    row = Task.objects.select_related("workspace__state_lock").get(pk=task.pk)
    candidate = Candidate(row, capacity.look(Pool.objects.local().pk, clock.now()))
    gates.first_obstacle(candidate)
    with django_assert_num_queries(0):
        gates.first_obstacle(candidate)
