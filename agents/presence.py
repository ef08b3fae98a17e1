"""A web process says every few seconds that it is at work: an outage of ours must not look like the agents' death.

It also sees whether the sweep has fallen silent, and then sweeps itself.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async

from agents import sweep
from iacplatform.base.models import Beat

BEAT_SECONDS = 5
SILENT_SECONDS = 10

App = Callable[[Any, Any, Any], Awaitable[None]]

log = logging.getLogger(__name__)


class Presence:
    """An ASGI application around another one; the first call starts the beat, since daphne announces no start."""

    def __init__(self, inner: App) -> None:
        self.inner = inner
        self.name = f"web:{secrets.token_hex(6)}"
        self.beating: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the call on."""
        if self.beating is None or self.beating.done():
            self.beating = asyncio.create_task(self._beat())
        await self.inner(scope, receive, send)

    async def _beat(self) -> None:
        while True:
            try:
                await database_sync_to_async(beat, thread_sensitive=False)(self.name)
            except Exception:
                # The database may be away for a while; that this beat was missed is what the others are told by it.
                log.warning("A beat of this web process was missed.", exc_info=True)
            await asyncio.sleep(BEAT_SECONDS)


def beat(name: str) -> None:
    """Write that this web process is at work; sweep where nobody else does."""
    Beat.objects.strike(name)
    if sweep.is_late(SILENT_SECONDS):
        sweep.sweep()
