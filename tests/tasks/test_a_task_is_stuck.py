"""Which tasks count as stuck: those that need help, and those that should have moved by now."""

from datetime import timedelta

import pytest

from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from tasks import moves, reasons
from tasks.models import Task
from tasks.reasons import Code, Turn, WaitReason
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def busy(task: Task) -> Task:
    """Say that every slot is taken, which may last for hours."""
    reason = WaitReason(
        code=Code.NO_FREE_SLOT, turn=Turn.MACHINE, message="Busy.", remedy="Wait.", grace_seconds=4 * 3600
    )
    moves.explain_wait(task, reason)
    return factories.reread(task)


def later(**span: int) -> None:
    clock.shift(timedelta(**span))


def seen(task: Task) -> Task:
    return Task.objects.with_outlook().get(pk=task.pk)


def test_a_task_that_needs_attention_is_stuck() -> None:
    task = factories.needing_attention()
    assert list(Task.objects.stuck()) == [task]
    assert seen(task).is_stuck


def test_a_plan_may_wait_for_its_reader_for_days() -> None:
    task = factories.awaiting_confirmation()
    later(days=3)
    assert not seen(task).is_stuck


def test_a_task_past_its_deadline_is_stuck() -> None:
    task = busy(factories.pending())
    later(hours=5)
    Beat.objects.strike(SWEEP)
    assert seen(task).is_stuck


def test_a_task_that_waits_for_a_slot_is_not_stuck_while_the_sweep_looks_at_it() -> None:
    task = busy(factories.pending())
    later(minutes=20)
    Beat.objects.strike(SWEEP)
    assert not seen(task).is_stuck


def test_a_task_that_nobody_looks_at_is_stuck() -> None:
    Beat.objects.strike(SWEEP)
    task = busy(factories.pending())
    later(minutes=2)
    assert seen(task).is_stuck


def test_the_next_look_follows_the_last_one_although_the_reason_was_not_written_again() -> None:
    task = busy(factories.pending())
    later(minutes=20)
    Beat.objects.strike(SWEEP)
    shown = seen(task).wait_reason
    assert shown is not None
    last_look = Beat.objects.last_sweep()
    assert last_look is not None
    assert shown["next_check_at"] == last_look + timedelta(seconds=2)


def test_without_a_sweep_the_next_look_is_the_one_that_was_promised() -> None:
    task = factories.pending()
    shown = seen(task).wait_reason
    assert shown is not None
    assert shown["next_check_at"] == task.next_check_at
    assert shown["code"] == reasons.Code.DISPATCHING
