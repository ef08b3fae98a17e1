"""A task's timeline says each thing once, in order, with who did it and why."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import timeline
from tasks import attempts, moves, reasons, recovery, remedies
from tasks.attempts import Place
from tasks.models import Attempt, Task, TaskEvent
from tasks.states import Event
from tasks.timeline import Kind
from tests.tasks import factories
from tests.timeline.conftest import Told
from workspaces.models import StateLock, StateVersion

pytestmark = pytest.mark.django_db


def kinds(task: Task) -> list[str]:
    return [entry.kind for entry in timeline.of(task)]


def kept_place(task: Task) -> Place:
    return Place(agent_id=task.agent_id, agent_name="ada", pod_name="", slot=task.slot or 0)


def test_a_whole_life_is_one_list_without_doubles() -> None:
    task = factories.applied(on=factories.agent("ada"))
    assert kinds(task) == [
        Kind.MOVE,  # created
        Kind.OFFER,
        Kind.ACCEPT,
        Kind.MOVE,  # planned
        Kind.RESERVATION,  # of the same moment: the two are one statement
        Kind.MOVE,  # confirmed
        Kind.OFFER,
        Kind.ACCEPT,
        Kind.PERMIT,
        Kind.MOVE,  # applied
    ]
    entries = timeline.of(task)
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    assert all(entry.actor and entry.text.endswith(".") for entry in entries)


def test_an_offer_names_attempt_slot_and_agent(told: Told) -> None:
    task = factories.applying(on=factories.agent("ada"))
    first, second = told(task, Kind.OFFER)
    assert "Plan attempt 1, on slot 0 of agent ada." in first.text
    assert (first.actor, first.attempt, first.epoch) == ("platform:dispatcher", 1, 1)
    assert "Apply attempt 1" in second.text
    assert second.cause == "Slot 1 of agent ada; the slot that was kept for it is free again."


def test_a_kept_slot_that_is_used_says_so(told: Told) -> None:
    task = factories.confirmed(on=factories.agent("ada", capacity=1))
    attempts.offer(task, kept_place(task))
    assert told(factories.reread(task), Kind.OFFER)[-1].cause == "Slot 0 of agent ada, which was kept for it."


def test_a_kept_slot_says_until_when_and_to_whom_it_was_given(told: Told) -> None:
    task = factories.awaiting_confirmation(on=factories.agent("ada"))
    recovery.end_reservation(
        task, cause="Its slot was given to task 77, which found no other.", actor="platform:dispatcher"
    )
    kept, ended = told(task, Kind.RESERVATION)
    until = Attempt.objects.get(task=task).kept_until
    assert until is not None and f"Slot 0 of agent ada is kept for the apply until {until:%Y-%m-%d %H:%M}" in kept.text
    assert ended.cause == "Its slot was given to task 77, which found no other."


def test_a_confirmation_names_the_plan(told: Told) -> None:
    task = factories.confirmed()
    confirmed = told(task, Kind.MOVE)[-1]
    assert task.plan_digest in confirmed.text
    assert confirmed.actor == "user:ann"


def test_an_end_says_how_the_engine_ended(told: Told) -> None:
    failed = told(factories.failed(), Kind.MOVE)[-1]
    assert "running → failed" in failed.text and "Exit status 1 after 1.5 s." in failed.text
    assert failed.cause == "Error: Invalid block"


@pytest.mark.parametrize(
    ("make", "ends_with"),
    [(factories.discarded, "planned"), (factories.cancelling, ""), (factories.applied, "planned, applied")],
)
def test_only_what_the_end_of_an_engine_made_says_how_it_ended(make: Callable[[], Task], ends_with: str) -> None:
    task = make()
    said = [entry.text.split(":")[0].lower() for entry in timeline.of(task) if "Exit status" in entry.text]
    assert ", ".join(said) == ends_with


def test_a_cancel_says_nothing_of_how_the_engine_ended_later(told: Told) -> None:
    task = factories.finish(factories.cancelling(), "cancelled", exit_code=1)
    cancel, cancelled = told(task, Kind.MOVE)[-2:]
    assert "Exit status" not in cancel.text and "Exit status 1" in cancelled.text


def test_a_lost_attempt_keeps_its_number_and_cause(told: Told) -> None:
    task = factories.backing_off()
    lost = told(task, Kind.MOVE)[-1]
    assert (lost.attempt, lost.epoch, lost.cause) == (1, 1, "The agent is gone.")


def test_states_and_the_state_lock_of_its_runs_are_told(told: Told) -> None:
    task = factories.applying()
    StateVersion.objects.create(
        workspace=task.workspace,
        serial=4,
        lineage="l",
        digest="0" * 64,
        size=0,
        resources=2,
        task_id=task.pk,
        created_by=f"task:{task.pk} apply 1",
    )
    StateLock.objects.create(
        workspace=task.workspace, lock_id="l-1", info={}, holder=f"task:{task.pk}", task_id=task.pk, epoch=task.epoch
    )
    stored, locked = told(task, Kind.STATE)
    assert "serial 4" in stored.text and "2 resources" in stored.text
    assert "state lock l-1" in locked.text


def test_states_of_others_are_not_told(told: Told) -> None:
    task = factories.applying()
    factories.store_state(task.workspace_id)
    assert told(task, Kind.STATE) == []


def test_a_retry_is_told_on_both_tasks(told: Told) -> None:
    task = factories.failed()
    new = remedies.retry(task, by=factories.person("bob")).task
    (retried,) = told(task, Kind.RETRY)
    assert (retried.text, retried.actor) == (f"Task {new.pk} does it again.", "user:bob")
    assert f"to do task {task.pk} again" in timeline.of(new)[0].text


def test_a_failed_dispatch_is_told_once_and_stays_told(told: Told) -> None:
    task = factories.pending()
    moves.explain_wait(task, reasons.dispatch_failed("OperationalError"))
    moves.explain_wait(factories.reread(task), reasons.dispatch_failed("OperationalError"))
    moves.explain_wait(factories.reread(task), reasons.dispatching())
    (failure,) = told(task, Kind.FAILURE)
    assert "OperationalError" in failure.cause


def test_only_the_newest_are_read_of_a_task_with_thousands() -> None:
    task = factories.pending()
    lapsed = {"task": task, "event": Event.LAPSED, "before": "pending", "after": "pending", "actor": "platform:sweep"}
    TaskEvent.objects.bulk_create(TaskEvent(**lapsed, reason=str(number)) for number in range(5000))
    with CaptureQueriesContext(connection) as asked:
        entries = timeline.of(task)
    assert len(entries) == timeline.MOST and entries[-1].cause == "4999"
    assert len(asked) <= 4
