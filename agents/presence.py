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
            self.beating = asyncio.create_task(self._live())
        await self.inner(scope, receive, send)

    async def _live(self) -> None:
        # Apart from each other: with many tasks a sweep lasts longer than a beat may be late.
        await asyncio.gather(_again(beat, self.name), _again(step_in))


async def _again(act: Callable[..., None], *args: Any) -> None:
    while True:
        try:
            await database_sync_to_async(act, thread_sensitive=False)(*args)
        except Exception:
            # The database may be away for a while; that a beat was missed is what the others are told by it.
            log.warning("A web process missed its turn.", exc_info=True, extra={"act": act.__name__})
        await asyncio.sleep(BEAT_SECONDS)


def beat(name: str) -> None:
    """Write that this web process is at work."""
    Beat.objects.strike(name)


def step_in() -> None:
    """Sweep where nobody else does."""
    if sweep.is_late(SILENT_SECONDS):
        sweep.sweep()
