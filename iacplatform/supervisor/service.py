"""What a child of the platform is: its command, how it shows that it works, and how it is asked to end."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import httpx

from iacplatform.supervisor.process import Process

Sign = Callable[[Process], Coroutine[Any, Any, object]]
"""Called when the child has just been started; what it returns ends when the child works."""

LOOK_SECONDS = 0.1


class Rank(IntEnum):
    """The order of the end: what stands lower here is needed by what stands above it."""

    WORK = 0
    """Agents, and steps that run once."""
    PLATFORM = 1
    """Web server and jobs."""
    DATABASE = 2


ENDINGS = {
    # The second SIGTERM tells an agent to leave an engine that is still at work, which then ends by itself.
    Rank.WORK: ((signal.SIGTERM, 5.5), (signal.SIGTERM, 6.0)),
    Rank.PLATFORM: ((signal.SIGTERM, 8.0),),
    Rank.DATABASE: ((signal.SIGTERM, 9.0),),
}
"""Signals by rank, each with the second after the begin of the end until which it may take effect; then comes a kill.
All of it fits in ten seconds, and what a lower rank does not use is left for the next."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A program that is run once. Its output is its answer, its errors are log lines."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    rank: Rank = Rank.WORK


@dataclass(frozen=True, kw_only=True)
class Service(Step):
    """A program that runs as long as the platform does."""

    sign: Sign
    descriptors: Sequence[int] = field(default=())
    start_seconds: float = 120.0
    """A child that lives but shows no sign for so long at the first start is a fault."""
    obstacle: Callable[[], str] = str
    """Asked before each start: why it must wait yet, a sentence; empty when it may start."""
    orphaned: signal.Signals = signal.SIGTERM
    """What it gets when the platform is killed: by default it may end children of its own."""


def says(text: str) -> Sign:
    """Return the sign of a child that prints the line `text`."""

    def sign(process: Process) -> Coroutine[Any, Any, object]:
        heard = asyncio.Event()
        process.on_output.append(lambda line: heard.set() if line == text else None)
        return heard.wait()

    return sign


def lasts(seconds: float) -> Sign:
    """Return the sign of a child that shows nothing: it has not ended after a while."""
    return lambda process: asyncio.sleep(seconds)


def answers(address: str, host: str) -> Sign:
    """Return the sign of a web server: status 200 at `address` when asked for under the name `host`."""

    async def sign(process: Process) -> None:
        # The way to ourselves never leads through a proxy.
        async with httpx.AsyncClient(trust_env=False, headers={"Host": host}, timeout=30.0) as client:
            while not await _is_ok(client, address):
                await asyncio.sleep(LOOK_SECONDS)

    return sign


async def _is_ok(client: httpx.AsyncClient, address: str) -> bool:
    with suppress(httpx.TransportError):
        return (await client.get(address)).status_code == httpx.codes.OK
    return False
