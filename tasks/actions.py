"""What a person may do with a task now: the one list that the API, the console and the admin go by.

A row says in which place of the table of moves a verb may be asked for, and which permission it needs. The verbs judge
again, with the rows locked; this is what is offered beforehand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from iacplatform.base import rights
from tasks import states
from tasks.models import Task
from tasks.reasons import Code
from tasks.states import Event, Status

CREATE = "tasks.add_task"
CHANGE = "tasks.change_task"
CONFIRM = "tasks.confirm_task"
RECOVER = "tasks.recover_task"
UNLOCK = "workspaces.change_workspace"

_FOLLOWED_UP = frozenset({Status.FAILED, Status.CANCELLED, Status.DISCARDED})

_WAITED_OUT = frozenset({Code.POOL_FROZEN})
"""Reasons that end at their time, whoever looks again before."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """A verb. `name`: the last part of its address; `permission`: what its caller needs; `is_open`: to the task now."""

    name: str
    permission: str
    is_open: Callable[[Task], bool]


def _is_stale(task: Task) -> bool:
    return task.reason_code == Code.PLAN_STALE


def _takes(task: Task, event: Event) -> bool:
    return bool(states.allowed(task.position, event))


def _can_be_retried(task: Task) -> bool:
    if task.status == Status.APPLY_PENDING:
        return _is_stale(task)
    return (task.status in states.RUNNABLE and not waits_for_its_time(task)) or task.status in _FOLLOWED_UP


def waits_for_its_time(task: Task) -> bool:
    """Return whether looking for a slot again would be in vain, until a known moment."""
    return task.reason_code in _WAITED_OUT


def _is_locked_by_a_person(task: Task) -> bool:
    return task.reason_code == Code.WORKSPACE_LOCKED and task.workspace.locked_by.startswith("user:")


ACTIONS: list[Action] = [
    Action(
        name="confirm-apply",
        permission=CONFIRM,
        is_open=lambda task: _takes(task, Event.CONFIRM) and not _is_stale(task),
    ),
    Action(name="discard", permission=CONFIRM, is_open=lambda task: _takes(task, Event.DISCARD)),
    Action(name="retry", permission=CREATE, is_open=_can_be_retried),
    # This one marks the task as failed as well, so it needs what that needs.
    Action(name="retry", permission=RECOVER, is_open=lambda task: task.status == Status.NEEDS_ATTENTION),
    Action(name="mark-failed", permission=RECOVER, is_open=lambda task: _takes(task, Event.MARK_FAILED)),
    Action(name="unlock", permission=UNLOCK, is_open=_is_locked_by_a_person),
    Action(
        name="cancel",
        permission=CHANGE,
        is_open=lambda task: _takes(task, Event.CANCEL) and task.cancelled_at is None,
    ),
    Action(
        name="force-cancel",
        permission=RECOVER,
        is_open=lambda task: _takes(task, Event.FORCE_CANCEL) and task.cancelled_at is not None,
    ),
]


def add(action: Action) -> None:
    """Add what a layer above offers; the same name again takes the place of the one before."""
    ACTIONS[:] = [each for each in ACTIONS if each.name != action.name] + [action]


def open_to(task: Task, user: Any) -> list[str]:
    """Return the names of what `user` may do with the task now. The task's workspace should be loaded with it."""
    return [each.name for each in ACTIONS if each.is_open(task) and rights.may(user, each.permission)]


def instead(task: Task, user: Any) -> str:
    """Return what `user` can do with the task, in a sentence, after something else was refused."""
    if names := open_to(task, user):
        return f"Possible now: {', '.join(names)}."
    return "Make a new task for what is still to be done." if task.is_final else "Ask somebody who has more rights."


def demand(task: Task, user: Any, name: str) -> None:
    """Raise `Forbidden`, which names the permission, unless `user` may ask for this verb."""
    rights.demand(user, permission(task, name))


def permission(task: Task, name: str) -> str:
    """Return what the verb needs on this task; where it is not open, what it needs in general."""
    named = [each for each in ACTIONS if each.name == name]
    return next((each.permission for each in named if each.is_open(task)), named[0].permission)
