"""News of capacity, sent after commit and robustly."""

from django.dispatch import Signal

from iacplatform.base import news

demand_changed = Signal()
"""Sent with `pool_id` when a pool may need more pods or fewer, or one of its pods began or ended to hold leases."""


def announce(signal: Signal, pool_id: str) -> None:
    """Send the news once it is committed."""
    news.announce(signal, pool_id=pool_id)
