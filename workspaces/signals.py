"""News of workspaces, sent after commit and robustly."""

import logging
from functools import partial

from django.db import transaction
from django.dispatch import Signal

workspace_changed = Signal()
"""Sent with `workspace_id` when its lock, mode or pool changed."""

state_changed = Signal()
"""Sent with `workspace_id` when a state version was added or its state lock was taken or let go."""

log = logging.getLogger(__name__)


def announce(signal: Signal, workspace_id: str) -> None:
    """Send the news once it is committed."""
    transaction.on_commit(partial(_send, signal, workspace_id), robust=True)


def _send(signal: Signal, workspace_id: str) -> None:
    for receiver, answer in signal.send_robust(sender=None, workspace_id=workspace_id):
        if isinstance(answer, Exception):
            log.error(
                "A receiver of a workspace's news failed.",
                exc_info=answer,
                extra={"workspace": workspace_id, "receiver": getattr(receiver, "__qualname__", receiver)},
            )
