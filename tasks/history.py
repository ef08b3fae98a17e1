"""What a task's history is written by: an event for every move, in the very statement that makes the move."""

from collections.abc import Sequence
from typing import Any

from iacplatform.base import writes
from iacplatform.base.writes import Write
from tasks.models import Task, TaskEvent
from tasks.models.querysets import Tasks


def move(
    task: Task, seen: Tasks, columns: dict[str, Any], event: str, *, actor: str, why: str, along: Sequence[Write]
) -> bool:
    """Write the columns, the event and what goes along; return whether the one row of `seen` was still there.

    `task`: as it was before.
    """
    now = {name: columns.get(name, getattr(task, name)) for name in ("attempt", "epoch")}
    words = {"event": event, "before": task.status, "after": columns["status"], "reason": why, "actor": actor}
    happened = writes.insert(TaskEvent(task=task, **words, **now))
    return bool(writes.together(writes.update(seen, **columns), happened, *along))


def begin(task: Task, event: str, *, actor: str, why: str, along: Sequence[Write]) -> None:
    """Write a new task, the event with which its history begins, and what goes along."""
    words = {"event": event, "after": task.status, "reason": why, "actor": actor}
    writes.together(writes.insert(task), writes.insert(TaskEvent(task=task, **words)), *along)


def add(task: Task, event: str, before: str, *, actor: str, why: str) -> TaskEvent:
    """Write an event of a task as it is now."""
    return TaskEvent.objects.create(
        task=task,
        event=event,
        before=before,
        after=task.status,
        reason=why,
        actor=actor,
        attempt=task.attempt,
        epoch=task.epoch,
    )
