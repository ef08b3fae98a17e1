"""News that goes up, sent after commit and robustly: a receiver that raises never turns a committed request into a 500."""

import logging
from functools import partial

from django.db import transaction
from django.dispatch import Signal

from iacplatform.base import wakeups

task_moved = Signal()
"""Sent with `task_id`, `workspace_id` after every move of a task."""

log = logging.getLogger(__name__)


def announce(task_id: int, workspace_id: str) -> None:
    """Send `task_moved` once the move is committed, and wake those who watch the task."""
    transaction.on_commit(partial(_send, task_id, workspace_id), robust=True)
    wakeups.wake(f"task.{task_id}")


def _send(task_id: int, workspace_id: str) -> None:
    for receiver, answer in task_moved.send_robust(sender=None, task_id=task_id, workspace_id=workspace_id):
        if isinstance(answer, Exception):
            log.error(
                "A receiver of a task's move failed.",
                exc_info=answer,
                extra={"task": task_id, "receiver": getattr(receiver, "__qualname__", receiver)},
            )
