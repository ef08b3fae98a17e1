"""Watches agents and tasks, and tells each change of a task."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from iacplatform.demonstration import words
from iacplatform.demonstration.client import Client
from iacplatform.demonstration.errors import NoAgent, TaskFailed, TooSlow

Say = Callable[[str], None]
LOOK_SECONDS = 0.25
LOST = frozenset({"failed", "cancelled", "discarded", "needs_attention"})


async def until_connected(client: Client, seconds: float) -> dict[str, Any]:
    """Return an agent as soon as one is connected; raises NoAgent after `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        agents = (await client.get("/agents"))["results"]
        if connected := next((agent for agent in agents if agent["connected"]), None):
            return dict(connected)
        await asyncio.sleep(LOOK_SECONDS)
    raise NoAgent(seconds)


async def follow(client: Client, path: str, until: Collection[str], seconds: float, say: Say) -> dict[str, Any]:
    """Return the task at `path` as soon as its status is one of `until`.

    Raises TaskFailed when it ends or stops in another one, TooSlow after `seconds`.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    told = ""
    while True:
        task: dict[str, Any] = await client.get(path)
        if (now := words.state(task)) != told:
            say(f"  {now}")
            told = now
        if task["status"] in until:
            return task
        _refuse(task, until, seconds, late=asyncio.get_running_loop().time() > deadline)
        await asyncio.sleep(LOOK_SECONDS)


def _refuse(task: dict[str, Any], until: Collection[str], seconds: float, *, late: bool) -> None:
    if task["status"] in LOST:
        raise TaskFailed(task)
    if late:
        raise TooSlow(task, " or ".join(sorted(until)), seconds)
