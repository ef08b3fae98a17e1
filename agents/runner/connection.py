"""Keeps the agent connected: again and again, with jitter and back-off, until it leaves or is refused for good.

Refused for good, it reports what it still has through the attempts' own door, and ends then.
"""

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Iterator

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from agents import protocol
from agents.runner import backoff
from agents.runner.agent import Agent
from agents.runner.door import Door
from agents.runner.errors import BadConfiguration, NotWelcome
from agents.runner.session import Session

PATH = "/agents/v1/connect"
KEEPALIVE_SECONDS = 20
"""A ping after so much silence, and as long for its answer: a half-open connection ends within 40 s."""

FAREWELL_SECONDS = 3.0
"""Time to say goodbye to a server that may not be there."""

QUICK_SECONDS = 1.0
STEADY_SECONDS = 5.0
"""A connection that lived so long is followed by a quick first try; one that dies at once is not."""

_REFUSALS = (401, 403)

log = logging.getLogger(__name__)


async def keep(agent: Agent) -> None:
    """Talk to the server until the agent is idle and leaves; raise `NotWelcome` when it may not come again."""
    staying = asyncio.ensure_future(_stay(agent))
    idle = asyncio.ensure_future(agent.idle.wait())
    await asyncio.wait((staying, idle), return_when=asyncio.FIRST_COMPLETED)
    idle.cancel()
    await asyncio.wait((staying,), timeout=FAREWELL_SECONDS)
    if staying.done():
        staying.result()
    staying.cancel()


async def _stay(agent: Agent) -> None:
    delays = _delays()
    while not agent.idle.is_set():
        started = time.monotonic()
        await _once(agent)
        if time.monotonic() - started > STEADY_SECONDS:
            delays = _delays()
        await _pause(agent, next(delays))


async def _once(agent: Agent) -> None:
    """Hold one connection to its end, and say in the log why it ended; raise `NotWelcome` when it was the last one."""
    token = ""
    try:
        token = agent.tools.options.current_token()
        await _hold(agent, token)
    except NotWelcome as refusal:
        await _end(agent, token, refusal)
    except InvalidStatus as answer:
        if answer.response.status_code in _REFUSALS:
            await _end(agent, token, NotWelcome(_token_refused(answer.response.status_code)))
        log.warning("The server answered %s; trying again.", answer.response.status_code)
    except (OSError, TimeoutError, WebSocketException, BadConfiguration) as error:
        log.warning("Not connected (%s); trying again.", _cause(error))


async def _hold(agent: Agent, token: str) -> None:
    address = f"ws{agent.tools.options.server.removeprefix('http')}{PATH}"
    async with connect(
        address,
        additional_headers={"Authorization": f"Bearer {token}"},
        open_timeout=15,
        ping_interval=KEEPALIVE_SECONDS,
        ping_timeout=KEEPALIVE_SECONDS,
        close_timeout=2,
        max_size=protocol.MESSAGE_BYTES,
        compression=None,
    ) as socket:
        await Session(agent, socket).run()


async def _end(agent: Agent, token: str, refusal: NotWelcome) -> None:
    """Report what the agent still has, and raise the refusal; return where it was given another token meanwhile."""
    if _has_another(agent, token):
        log.warning("%s The agent was given another one, and tries that.", refusal)
        return
    if agent.has_work:
        log.error("%s What runs is finished and reported first.", refusal)
        await Door(agent).report()
    raise refusal


def _has_another(agent: Agent, token: str) -> bool:
    try:
        return agent.tools.options.current_token() != token
    except BadConfiguration:
        return False


async def _pause(agent: Agent, seconds: float) -> None:
    """Wait, but not when the agent may go."""
    try:
        async with asyncio.timeout(seconds):
            await agent.idle.wait()
    except TimeoutError:
        return


def _delays() -> Iterator[float]:
    return itertools.chain([random.uniform(0, QUICK_SECONDS)], backoff.delays())  # noqa: S311 - spreads agents in time


def _token_refused(status: int) -> str:
    return f"The server refused the pool token (HTTP status {status}): it is wrong, revoked or past its time."


def _cause(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
