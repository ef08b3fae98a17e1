"""Waiting for what other processes do: always for a condition, never longer than a deadline."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

SHORTEST, LONGEST = 0.02, 0.25
"""Seconds between two looks. Most are requests to a server, which has better to do the longer it takes."""

ENOUGH_SECONDS = 60.0
"""A deadline costs nothing where the condition comes true; machines are shared, and some moments last long."""

Seen = TypeVar("Seen")


class TooLate(AssertionError):
    """The condition did not come true in time; the message says what was seen last."""


def until(what: str, look: Callable[[], Seen | None], *, seconds: float = ENOUGH_SECONDS) -> Seen:
    """Return the first answer of `look` that counts as true; `what` says in words what is waited for."""
    began = time.monotonic()
    while not (seen := look()):
        waited = time.monotonic() - began
        if waited > seconds:
            raise TooLate(f"not within {seconds:g} s: {what}; seen last: {seen!r}")
        time.sleep(min(max(SHORTEST, waited / 10), LONGEST))
    return seen


async def becomes_true(condition: Callable[[], object], *, seconds: float = ENOUGH_SECONDS) -> None:
    """Return once the condition holds, which the event loop brings about meanwhile; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(SHORTEST / 2)
