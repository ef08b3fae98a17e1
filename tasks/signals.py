"""News that goes up, after commit and robustly: a receiver that raises never turns a committed request into a 500."""

import logging
from functools import partial

from django.db import transaction
from django.dispatch import Signal

from iacplatform.base import wakeups

task_moved = Signal()
"""After every move: `task_id`, `workspace_id`, `event`, `status`, and `agent_id` whose slot it holds or held."""

log = logging.getLogger(__name__)


def announce(*, task_id: int, workspace_id: str, event: str, status: str, agent_id: str) -> None:
    """Send `task_moved` once the move is committed, and wake those who watch the task."""
    facts = {"task_id": task_id, "workspace_id": workspace_id, "event": event, "status": status, "agent_id": agent_id}
    transaction.on_commit(partial(_send, facts), robust=True)
    wakeups.wake(f"task.{task_id}")


def _send(facts: dict[str, object]) -> None:
    for receiver, answer in task_moved.send_robust(sender=None, **facts):
        if isinstance(answer, Exception):
            name = getattr(receiver, "__qualname__", str(receiver))
            log.error("A receiver of a task's move failed.", exc_info=answer, extra={**facts, "receiver": name})
