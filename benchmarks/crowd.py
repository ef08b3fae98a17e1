"""Simulated agents in one process, which do nothing but beat; each has a socket of its own."""

import asyncio
import random
import resource
from collections import Counter
from contextlib import AsyncExitStack
from itertools import count
from typing import Any, Self

import websockets
from websockets.asyncio.client import ClientConnection

from agents import protocol
from agents.protocol import Engine, Heartbeat, Hello
from agents.runner.connection import KEEPALIVE_SECONDS, PATH

AT_ONCE = 10
"""So many connect side by side: a crowd after an outage comes spread in time too."""
PATIENCE_SECONDS = 30

_BEAT = protocol.dump(Heartbeat(work=()))


class Crowd:
    """Agents on the web process at `url` with this pool token. `ended`: why sockets closed that should not have."""

    def __init__(self, url: str, token: str) -> None:
        self._address = url.replace("http", "ws", 1) + PATH
        self._headers = {"Authorization": f"Bearer {token}"}
        self._names = (f"agent-{number}" for number in count(1))
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._lives: list[asyncio.Task[None]] = []
        self.ended: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        """Return the empty crowd."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Go, all of them."""
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)

    async def grow(self, number: int) -> None:
        """Connect so many more, and return when each was answered."""
        await asyncio.gather(*(self._add(next(self._names)) for _ in range(number)))

    @property
    def size(self) -> int:
        """How many are connected."""
        return sum(not life.done() for life in self._lives)

    async def _add(self, name: str) -> None:
        socket = await self._connect(name)
        self._lives.append(asyncio.create_task(self._live(socket)))

    async def _connect(self, name: str) -> ClientConnection:
        async with self._turns, AsyncExitStack() as fall_back:
            socket = await websockets.connect(
                self._address,
                additional_headers=self._headers,
                open_timeout=PATIENCE_SECONDS,
                ping_interval=KEEPALIVE_SECONDS,
                ping_timeout=KEEPALIVE_SECONDS,
                compression=None,
            )
            fall_back.push_async_callback(socket.close)
            await socket.send(protocol.dump(hello(name)))
            await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS)
            fall_back.pop_all()
            return socket

    async def _live(self, socket: ClientConnection) -> None:
        beating = asyncio.create_task(_beat(socket))
        try:
            async for text in socket:
                self._note(text)
            self.ended[str(socket.close_code)] += 1
        except websockets.ConnectionClosed as error:
            self.ended[str(error)] += 1
        finally:
            beating.cancel()
            await socket.close()

    def _note(self, text: str | bytes) -> None:
        if '"refused"' in str(text):
            self.ended[str(text)] += 1


async def _beat(socket: ClientConnection) -> None:
    await asyncio.sleep(random.uniform(0, protocol.HEARTBEAT_SECONDS))
    while True:
        await socket.send(_BEAT)
        await asyncio.sleep(protocol.HEARTBEAT_SECONDS)


def hello(name: str) -> Hello:
    """Return what an agent of one slot says first."""
    facts: dict[str, Any] = {"name": name, "instance": name, "os": "linux", "arch": "amd64", "agent_version": "0"}
    engines = (Engine(name="terraform", version="1.11.4"),)
    return Hello(versions=protocol.VERSIONS, capacity=1, engines=engines, work=(), **facts)


def allow_sockets(number: int) -> None:
    """Let this process, and those that it starts, have so many sockets open, or end with a sentence."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number + 200  # files, database connections
    if most != resource.RLIM_INFINITY and most < wanted:
        raise SystemExit(f"{number} sockets need {wanted} open files; the limit is {most}: raise it (ulimit -Hn).")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most == resource.RLIM_INFINITY else most, most))
