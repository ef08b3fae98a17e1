"""News of pools, sent after commit and robustly."""

from django.dispatch import Signal

from iacplatform.base import news

pool_unfrozen = Signal()
"""Sent with `pool_id` when somebody let a pool start new work within a freeze window."""


def announce(signal: Signal, pool_id: str) -> None:
    """Send the news once it is committed."""
    news.announce(signal, pool_id=pool_id)
