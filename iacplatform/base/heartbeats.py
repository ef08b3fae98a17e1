"""How often agents are asked to beat, and after how long without a beat they count as silent."""

from django.conf import settings

EVERY_SECONDS = 10
"""As the agents' protocol has it, which is above and stands alone."""

MISSED_BEATS = 2.5
"""Two heartbeats, and half of one for being late."""


def interval_seconds() -> float:
    """Return how often an agent is asked to beat: at least four times in a lease."""
    return float(min(EVERY_SECONDS, settings.AGENT_LEASE_SECONDS / 4))


def patience_seconds() -> float:
    """Return after how long without a heartbeat it is a silence."""
    return MISSED_BEATS * interval_seconds()
