"""Ending a task before its time."""

from typing import Any

from django.db import transaction

from iacplatform.base import actors, clock
from tasks import attempts, moves, recovery
from tasks.errors import IllegalMove
from tasks.models import Task, TaskEvent
from tasks.states import Event, Phase, Stage, Status


def cancel(task: Task, *, by: Any) -> bool:
    """Cancel the task: at once where nothing runs, else its engine is asked to stop. Asking twice is asking once.

    Returns False when that was done before. Raises `IllegalMove` where there is nothing to cancel.
    """
    with transaction.atomic():
        locked = Task.objects.locked(task.pk)
        is_news = locked.status != Status.CANCELLED
        if locked.status == Status.RUNNING:
            is_news = locked.cancelled_at is None and _ask_to_stop(locked, by)
        elif is_news:
            _end(locked, by)
    task.refresh_from_db()
    return is_news


def force_cancel(task: Task, *, by: Any) -> bool:
    """End a cancelled phase without waiting for its engine. An apply that may run needs attention then.

    Returns False when the task is cancelled, or that was done before and it ended otherwise. Raises `IllegalMove`
    before the cancel, and where nothing runs.
    """
    with transaction.atomic():
        locked = Task.objects.locked(task.pk)
        is_news = not _is_forced(locked)
        if is_news:
            _demand_asked(locked)
            _do_not_wait(locked, by)
    task.refresh_from_db()
    return is_news


def _is_forced(task: Task) -> bool:
    # No later phase can follow one that was forced: its task waits for its result, or is final.
    was_forced = TaskEvent.objects.filter(task=task, event=Event.FORCE_CANCEL).exists()
    return was_forced or task.status == Status.CANCELLED


def _demand_asked(task: Task) -> None:
    if task.status != Status.RUNNING:
        raise moves.refusal(task, Event.FORCE_CANCEL)
    if task.cancelled_at is None:
        raise IllegalMove(f"Task {task.pk} was not asked to stop yet: cancel it first, and wait for its engine.")


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


def _ask_to_stop(task: Task, by: Any) -> bool:
    moves.move(
        task,
        Event.CANCEL,
        Status.RUNNING,
        actor=actors.user(by),
        why="The engine is asked to stop.",
        stage=Stage.CANCELLING,
        cancelled_at=clock.DatabaseNow(),
    )
    return True


def _do_not_wait(task: Task, by: Any) -> None:
    attempt = attempts.newest_of(task)
    why = "Cancelled by force: nobody waited for the engine to stop."
    if task.phase == Phase.APPLY and attempt.permitted_at is not None:
        # It may well run on: its slot stays taken, and its agent is heard, until it ends or its agent is given up.
        recovery.need_attention(task, attempt, Event.FORCE_CANCEL, actor=actors.user(by), cause=why, lease={})
        return
    attempts.close(attempt, outcome="cancelled", cause=why)
    moves.move(task, Event.FORCE_CANCEL, Status.CANCELLED, actor=actors.user(by), why=why, epoch=task.epoch + 1)
