"""News that goes up, after commit and robustly: a receiver that raises never turns a committed request into a 500."""

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

task_moved = Signal()
"""After every move: `task_id`, `workspace_id`, `event`, `status`, whether it `queues` in its workspace, and `agent_id`,
whose slot it holds or held."""

log = logging.getLogger(__name__)


def announce(**facts: Any) -> None:
    """Send `task_moved` with its facts once the move is committed."""
    transaction.on_commit(partial(_send, facts), robust=True)


def _send(facts: dict[str, Any]) -> None:
    for receiver, answer in task_moved.send_robust(sender=None, **facts):
        if isinstance(answer, Exception):
            name = getattr(receiver, "__qualname__", str(receiver))
            log.error("A receiver of a task's move failed.", exc_info=answer, extra={**facts, "receiver": name})
