"""News that goes up the layers, after the commit and robustly: no receiver that raises turns it into a 500."""

import logging
from typing import Any

from django.dispatch import Signal

from iacplatform.base import commits

log = logging.getLogger(__name__)


def announce(signal: Signal, **facts: Any) -> None:
    """Send `signal` with its facts once the current transaction is committed; a receiver that raises is logged."""
    commits.afterwards(_send, signal, facts)


def _send(signal: Signal, facts: dict[str, Any]) -> None:
    for receiver, answer in signal.send_robust(sender=None, **facts):
        if isinstance(answer, Exception):
            name = getattr(receiver, "__qualname__", str(receiver))
            log.error("A receiver of news failed.", exc_info=answer, extra={**facts, "receiver": name})
