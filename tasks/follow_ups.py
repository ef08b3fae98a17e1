"""The task that does an ended one again: while it is under way, retrying that one again leads to it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tasks import creation
from tasks.models import Task
from tasks.states import Status, TaskType

FOLLOWED_UP = frozenset({Status.FAILED, Status.CANCELLED, Status.DISCARDED})
"""What ended without success, and may be done again."""


class Result(StrEnum):
    """What came of a retry."""

    NEW_TASK = "new_task"
    KNOWN_TASK = "known_task"
    """It was retried before, and that task is not final yet: nothing new."""
    PLANS_AGAIN = "plans_again"
    KNOWN_PLAN = "known_plan"
    """The new plan was asked for before: nothing new."""
    LOOKED_AGAIN = "looked_again"
    """The task is as it was, and a slot is looked for at once."""


@dataclass(frozen=True)
class Retrial:
    """A retry. `task`: the one to look at now, which may be another one than was retried."""

    task: Task
    result: Result


def follow_up(task: Task, *, by: Any) -> Retrial:
    """Return the task that does this one again, new unless one is under way. The row of `task` must be locked."""
    known = Task.objects.select_related("workspace").live().filter(retried_from=task).first()
    if known is not None:
        return Retrial(known, Result.KNOWN_TASK)
    description = task.description or f"Retry of task {task.pk}"
    kind = TaskType(task.task_type)
    new = creation.create(task.workspace, task_type=kind, by=by, description=description, retried_from=task)
    return Retrial(new, Result.NEW_TASK)
