"""Asking for a slot again, and what came of it. Who dispatches is above; it acts within the call, on the news."""

from typing import Any

from iacplatform.base import news
from tasks import signals
from tasks.models import Task
from tasks.reasons import Code
from tasks.states import Lease, Status

ASKED = "asked"
"""The event in the news of a task that did not move: a person asked for a slot."""

_LEFT_UNDONE = frozenset({Code.DISPATCHING, Code.DISPATCH_FAILED})


def ask_again(task: Task) -> None:
    """Have the dispatcher look at a task that did not move: somebody asks for it right now.

    Whatever `task` shows: somebody else may have moved it since it was read, and their own look passes over a row that
    we hold.
    """
    place = {"task_id": task.pk, "workspace_id": task.workspace_id, "queues": task.is_changing}
    status = Task.objects.filter(pk=task.pk).values_list("status", flat=True).first() or task.status
    news.announce(signals.task_moved, **place, event=ASKED, status=status, agent_id="")


def outcome(task: Task, *, is_news: bool = True) -> dict[str, Any]:
    """Return what the row, read after the commit, says of the dispatch: the contract's `dispatch`.

    `is_news`: something was asked for now, so that a slot may have come of it even where the task has ended since.
    """
    word = _word(task, is_news)
    held = word == "offered"
    return {
        "outcome": word,
        "agent_id": task.agent_id if held else None,
        "slot": task.slot if held else None,
        "wait_reason": None if held else task.wait_reason,
    }


def _word(task: Task, is_news: bool) -> str:
    if task.is_final and not is_news:
        return "ended"
    # One that has ended on a slot meanwhile waits for nothing either.
    if task.lease == Lease.OFFERED or task.status == Status.RUNNING or (task.is_final and task.agent_id):
        return "offered"
    return "deferred" if task.reason_code in _LEFT_UNDONE else "waiting"
