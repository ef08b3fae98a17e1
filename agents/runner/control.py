"""Why an attempt has to end before its engine does, and what waits for that."""

import asyncio
from collections.abc import Coroutine
from enum import Enum
from typing import Any, TypeVar

Result = TypeVar("Result")


EVIDENCE_SECONDS = 300.0
"""How long what there is of a stopped attempt is offered to the server."""


class Ending(Enum):
    """Who ends the attempt."""

    CANCELLED = "cancelled"
    """A person."""
    TIMED_OUT = "timed out"
    """The phase's time is over."""
    OUTGROWN = "outgrown"
    """Its folder holds more than a task may."""
    STOPPED = "stopped"
    """The server: it is not ours any more. What an engine did is still told, as evidence."""


class Ended(Exception):
    """The attempt was ended while no engine ran."""


class Control:
    """The switch that ends an attempt. The first ending counts; only a stop beats an earlier one."""

    def __init__(self) -> None:
        self.ending: Ending | None = None
        self.grace_seconds = 0.0
        self.ended = asyncio.Event()
        self.stopped = asyncio.Event()
        self.has_run = False
        """Whether an engine was started, so that there is something to tell."""

    def end(self, ending: Ending, grace_seconds: float) -> None:
        """End the attempt; a running engine gets one SIGINT and so much time."""
        if self.ending is None:
            self.ending, self.grace_seconds = ending, grace_seconds
        if ending is Ending.STOPPED:
            self.ending = ending
            self.stopped.set()
        self.ended.set()

    async def unless_ended(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return what the work gives; raise `Ended` and drop the work when the attempt is ended first."""
        return await _race(work, self.ended.wait())

    async def unless_stopped(self, work: Coroutine[Any, Any, Result]) -> Result:
        """As `unless_ended`, for work that a cancel comes too late for."""
        return await _race(work, self.stopped.wait())

    async def unless_overdue(self, work: Coroutine[Any, Any, Result]) -> Result:
        """As `unless_stopped`, for what is evidence: a stop leaves it `EVIDENCE_SECONDS` more."""
        return await _race(work, self._overdue())

    async def _overdue(self) -> None:
        await self.stopped.wait()
        await asyncio.sleep(EVIDENCE_SECONDS)


async def _race(work: Coroutine[Any, Any, Result], end: Coroutine[Any, Any, Any]) -> Result:
    task, signal = asyncio.ensure_future(work), asyncio.ensure_future(end)
    try:
        await asyncio.wait((task, signal), return_when=asyncio.FIRST_COMPLETED)
        if signal.done() and not task.done():
            raise Ended
        return task.result()
    finally:
        signal.cancel()
        await _dropped(task)


async def _dropped(task: asyncio.Future[Any]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
