"""What two processes do to one task at the same time; each guard beside what happens without it."""

import pytest

from agents import dispatcher
from iacplatform.base import clock
from tasks import attempts, cancellation, confirmation, permits, recovery
from tasks.attempts import Place
from tasks.errors import LostRace, StaleEpoch
from tasks.models import Attempt, Task
from tasks.permits import Answer
from tasks.states import RUNNABLE, Event, Lease, Status
from tests.races.racing import interleave, race, without_row_locks
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

WRITES_TASK = 'UPDATE "tasks_task"'


def events(task: Task, *kinds: Event) -> list[str]:
    return list(task.events.filter(event__in=kinds).values_list("event", flat=True))


def lose(task: Task) -> None:
    recovery.slot_lost(task.pk, task.agent_id, cause="The agent is gone.", last_seen=None)


# Two dispatchers, one task ------------------------------------------------------------------------------------------


def test_two_dispatchers_never_start_one_task() -> None:
    task = factories.pending()
    here, there = (factories.place(factories.agent()) for _ in range(2))

    late, quick = interleave(
        lambda: attempts.offer(factories.reread(task), here),
        lambda: attempts.offer(factories.reread(task), there),
        before=WRITES_TASK,
    )

    assert isinstance(late, LostRace) and isinstance(quick, Attempt)
    assert Attempt.objects.get(task=task).agent_id == there.agent_id
    assert factories.reread(task).agent_id == there.agent_id


def test_without_the_guard_two_dispatchers_hold_two_slots_for_one_task() -> None:
    task = factories.pending()
    here, there = (factories.place(factories.agent()) for _ in range(2))
    told: list[str] = []

    def offer(place: Place) -> None:
        if Task.objects.get(pk=task.pk).status == Status.PENDING:
            held = {"lease": Lease.OFFERED, "slot": place.slot, "lease_expires_at": clock.In(seconds=10)}
            Task.objects.filter(pk=task.pk).update(agent_id=place.agent_id, **held)
            told.append(place.agent_id)

    interleave(lambda: offer(here), lambda: offer(there), before=WRITES_TASK)

    assert sorted(told) == sorted([here.agent_id, there.agent_id])


def test_passes_over_one_pool_at_once_make_one_offer() -> None:
    factories.agent(connected=True, draining=True)
    task = factories.pending()
    agent = factories.agent(connected=True)

    passes = race(*[lambda: dispatcher.dispatch(agent.pool_id, cause="race")] * 3)

    assert sorted(done.offers for done in passes) == [0, 0, 1]
    assert events(task, Event.OFFERED) == [Event.OFFERED]


def test_a_task_that_a_person_moves_meanwhile_does_not_undo_the_pass() -> None:
    stale, other = factories.confirmed(), factories.pending()
    factories.store_state(stale.workspace_id)
    agent = factories.agent(connected=True)

    answers = interleave(
        lambda: dispatcher.dispatch(agent.pool_id, cause="race"),
        lambda: cancellation.cancel(stale, by=factories.person()),
        before=WRITES_TASK,
    )

    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert factories.reread(other).lease == Lease.OFFERED
    assert factories.reread(stale).status == Status.CANCELLED


# Two people confirm -------------------------------------------------------------------------------------------------


def test_two_confirmations_at_once_are_one() -> None:
    task = factories.awaiting_confirmation()

    answers = interleave(
        lambda: confirmation.confirm(task, by=factories.person("ann")),
        lambda: confirmation.confirm(task, by=factories.person("bob")),
        before=WRITES_TASK,
    )

    assert answers == [True, False]
    assert events(task, Event.CONFIRM) == [Event.CONFIRM]
    assert str(factories.reread(task).confirmed_by) == "ann"


def test_without_the_row_lock_the_slower_person_is_told_of_a_lost_race() -> None:
    task = factories.awaiting_confirmation()
    with without_row_locks():
        late, quick = interleave(
            lambda: confirmation.confirm(task, by=factories.person("ann")),
            lambda: confirmation.confirm(task, by=factories.person("bob")),
            before=WRITES_TASK,
        )
    assert isinstance(late, LostRace) and quick is True


# Cancel and the end of the phase ------------------------------------------------------------------------------------


def test_a_cancel_before_the_plans_end_counts() -> None:
    task = factories.planning()
    answers = interleave(
        lambda: cancellation.cancel(task, by=factories.person()),
        lambda: factories.planned(factories.reread(task)),
        before=WRITES_TASK,
    )
    assert not isinstance(answers[0], Exception)
    assert factories.reread(task).status == Status.CANCELLED
    assert events(task, Event.CANCEL, Event.PLANNED, Event.CANCELLED) == [Event.CANCEL, Event.CANCELLED]


def test_a_cancel_after_the_plans_end_cancels_what_awaits_confirmation() -> None:
    task = factories.planning()
    answers = interleave(
        lambda: factories.planned(factories.reread(task)),
        lambda: cancellation.cancel(factories.reread(task), by=factories.person()),
        before=WRITES_TASK,
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert events(task, Event.CANCEL, Event.PLANNED, Event.CANCELLED) == [Event.PLANNED, Event.CANCEL]
    assert factories.reread(task).status == Status.CANCELLED


def test_without_the_row_lock_a_cancel_is_refused_because_the_plan_ended() -> None:
    task = factories.planning()
    with without_row_locks():
        late, _ = interleave(
            lambda: cancellation.cancel(task, by=factories.person()),
            lambda: factories.planned(factories.reread(task)),
            before=WRITES_TASK,
        )
    assert isinstance(late, LostRace)
    assert factories.reread(task).status == Status.APPLY_PENDING


# The permit and the loss of its agent: the deadly one ---------------------------------------------------------------


def is_deadly(task: Task) -> bool:
    """Whether the apply may have started, and the task may be given to another agent."""
    return factories.reread(task).status in RUNNABLE and task.attempts.exclude(permitted_at=None).exists()


def test_a_permit_that_comes_while_the_agent_is_given_up_is_refused() -> None:
    task = factories.applying(permitted=False)

    _, answer = interleave(
        lambda: lose(task),
        lambda: permits.ask(task.pk, task.epoch, task.agent_id),
        before=WRITES_TASK,
    )

    assert isinstance(answer, StaleEpoch)
    assert factories.reread(task).status == Status.CONFIRMED
    assert not is_deadly(task)


def test_an_agent_that_is_given_up_while_its_permit_comes_needs_attention() -> None:
    task = factories.applying(permitted=False)

    answer, _ = interleave(
        lambda: permits.ask(task.pk, task.epoch, task.agent_id),
        lambda: lose(task),
        before='UPDATE "tasks_attempt"',
    )

    assert answer is Answer.GRANTED
    assert factories.reread(task).status == Status.NEEDS_ATTENTION
    assert not is_deadly(task)


def test_without_the_row_lock_a_permitted_apply_is_offered_again() -> None:
    task = factories.applying(permitted=False)
    with without_row_locks():
        _, answer = interleave(
            lambda: lose(task),
            lambda: permits.ask(task.pk, task.epoch, task.agent_id),
            before=WRITES_TASK,
        )
    assert answer is Answer.GRANTED
    assert is_deadly(task)


def test_two_permits_at_once_are_one() -> None:
    task = factories.applying(permitted=False)
    assert race(*[lambda: permits.ask(task.pk, task.epoch, task.agent_id)] * 3) == [Answer.GRANTED] * 3
    assert task.attempts.exclude(permitted_at=None).count() == 1


# The same result twice ----------------------------------------------------------------------------------------------


def test_one_result_that_comes_twice_at_once_counts_once() -> None:
    task = factories.applying()
    answers = interleave(
        lambda: factories.finish(task, "applied"), lambda: factories.finish(task, "applied"), before=WRITES_TASK
    )
    assert [answer.status for answer in answers] == [Status.APPLIED, Status.APPLIED]
    assert events(task, Event.APPLIED) == [Event.APPLIED]


def test_without_the_row_lock_the_second_of_two_results_fails() -> None:
    task = factories.applying()
    with without_row_locks():
        answers = interleave(
            lambda: factories.finish(task, "applied"), lambda: factories.finish(task, "applied"), before=WRITES_TASK
        )
    assert [type(answer) for answer in answers if isinstance(answer, Exception)] == [LostRace]


# The sweep and an agent that is only late ---------------------------------------------------------------------------


def test_an_offer_that_is_accepted_while_the_sweep_gives_it_up_stays_accepted() -> None:
    task = factories.offered()
    seen = factories.reread(task)
    attempts.accept(task.pk, task.epoch, task.agent_id)

    recovery.slot_lost(task.pk, task.agent_id, cause="Not accepted.", last_seen=None, seen=seen)

    assert factories.reread(task).status == Status.RUNNING
