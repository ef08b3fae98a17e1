"""News of workspaces, sent after commit and robustly."""

from django.dispatch import Signal

from iacplatform.base import news

workspace_changed = Signal()
"""Sent with `workspace_id` when its lock, mode or pool changed."""

state_changed = Signal()
"""Sent with `workspace_id` when a state version was added or its state lock was taken or let go."""


def announce(signal: Signal, workspace_id: str) -> None:
    """Send the news once it is committed."""
    news.announce(signal, workspace_id=workspace_id)
