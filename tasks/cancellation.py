"""Ending a task before its time."""

from typing import Any

from django.db import transaction

from iacplatform.base import actors, clock
from tasks import attempts, moves, recovery
from tasks.errors import IllegalMove
from tasks.models import Task
from tasks.states import Event, Phase, Status


def cancel(task: Task, *, by: Any) -> None:
    """Cancel the task: at once where nothing runs, else its engine is asked to stop. Asking twice is asking once."""
    with transaction.atomic():
        locked = Task.objects.locked(task.pk)
        if locked.status != Status.RUNNING:
            _end(locked, by)
        elif locked.cancelled_at is None:
            _ask_to_stop(locked, by)
    task.refresh_from_db()


def force_cancel(task: Task, *, by: Any) -> None:
    """End a phase without waiting for its engine; only after a cancel. An apply that may run needs attention then."""
    with transaction.atomic():
        locked = Task.objects.locked(task.pk)
        if locked.status != Status.RUNNING:
            _end(locked, by)
        elif locked.cancelled_at is None:
            raise IllegalMove(f"Task {task.pk} was not asked to stop yet: cancel it first, and wait for its engine.")
        else:
            _do_not_wait(locked, by)
    task.refresh_from_db()


def _end(task: Task, by: Any) -> None:
    attempts.close_open(task, outcome="cancelled", cause="Cancelled before it began.")
    moves.move(
        task,
        Event.CANCEL,
        Status.CANCELLED,
        actor=actors.user(by),
        why="Cancelled.",
        epoch=task.epoch + 1,
        cancelled_at=clock.DatabaseNow(),
    )


def _ask_to_stop(task: Task, by: Any) -> None:
    moves.move(
        task,
        Event.CANCEL,
        Status.RUNNING,
        actor=actors.user(by),
        why="The engine is asked to stop.",
        stage="cancelling",
        cancelled_at=clock.DatabaseNow(),
    )


def _do_not_wait(task: Task, by: Any) -> None:
    attempt = attempts.newest_of(task)
    why = "Cancelled by force: nobody waited for the engine to stop."
    if task.phase == Phase.APPLY and attempt.permitted_at is not None:
        recovery.need_attention(task, attempt, Event.FORCE_CANCEL, actor=actors.user(by), cause=why)
        return
    attempts.close(attempt, outcome="cancelled", cause=why)
    moves.move(task, Event.FORCE_CANCEL, Status.CANCELLED, actor=actors.user(by), why=why, epoch=task.epoch + 1)
