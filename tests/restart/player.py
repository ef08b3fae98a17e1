"""An agent without an engine that speaks the protocol over a real socket, and ends well whatever it runs."""

import asyncio
import hashlib
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from agents.protocol import (
    Accept,
    AskPermit,
    Cancel,
    Engine,
    Finished,
    FromAgent,
    FromServer,
    Heartbeat,
    Hello,
    Offer,
    Outcome,
    Permit,
    PlanFacts,
    Received,
    Start,
    Stop,
    Welcome,
    Work,
    dump,
    parse_from_server,
)
from tests.plan_facts import plan_facts

BEAT_SECONDS = 1.0
AGAIN_SECONDS = 0.3

Key = tuple[int, int]


@dataclass
class Run:
    """What it runs. `permitted`: its apply was started before; `cancelled`: the word that ends it comes by itself."""

    task: int
    epoch: int
    phase: str
    token: str
    permitted: bool = False
    cancelled: bool = False


@dataclass
class Player:
    """`kept`: what the server let it go on with; `permits`: applies that it was allowed to start, by task."""

    url: str
    token: str
    name: str
    instance: str
    runs: dict[Key, Run]
    kept: set[Key] = field(default_factory=set)
    permits: Counter[int] = field(default_factory=Counter)
    had: frozenset[Key] = field(init=False)
    """What it ran when it was made."""

    def __post_init__(self) -> None:
        self.had = frozenset(self.runs)

    async def live(self) -> None:
        """Connect again and again, and work, for ever."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as http:
            while True:
                with suppress(OSError, WebSocketException, TimeoutError):
                    await self._once(http)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _once(self, http: httpx.AsyncClient) -> None:
        address = f"{self.url.replace('http', 'ws', 1)}/agents/v1/connect"
        async with connect(address, additional_headers={"Authorization": f"Bearer {self.token}"}) as socket:
            await socket.send(dump(self._hello()))
            beating = asyncio.create_task(self._beat(socket))
            try:
                async for text in socket:
                    await self._hear(socket, http, parse_from_server(text if isinstance(text, str) else text.decode()))
            finally:
                beating.cancel()

    def _hello(self) -> Hello:
        return Hello(
            versions=("1",),
            name=self.name,
            instance=self.instance,
            capacity=64,
            engines=(Engine(name="terraform", version="1.11.4"),),
            os="linux",
            arch="amd64",
            agent_version="1",
            work=self._work(),
        )

    def _work(self) -> tuple[Work, ...]:
        return tuple(Work(task=task, epoch=epoch) for task, epoch in self.runs)

    async def _beat(self, socket: ClientConnection) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await socket.send(dump(Heartbeat(work=self._work())))

    async def _hear(self, socket: ClientConnection, http: httpx.AsyncClient, word: FromServer) -> None:
        for answer in await self._answers(http, word):
            await socket.send(dump(answer))

    async def _answers(self, http: httpx.AsyncClient, word: FromServer) -> list[FromAgent]:
        match word:
            case Welcome():
                return await self._resume(http, word)
            case Offer():
                return [Accept(task=word.task, epoch=word.epoch)]
            case Start():
                run = self.runs[word.task, word.epoch] = Run(word.task, word.epoch, word.phase, word.token)
                return await self._advance(http, run)
            case Permit():
                self.permits[word.task] += 1
                return [_finished(self.runs[word.task, word.epoch], "applied")]
            case Cancel():
                run = self.runs[word.task, word.epoch]
                return [_finished(run, "cancelled", exit_code=1)]
            case Received() | Stop():
                self.runs.pop((word.task, word.epoch), None)
        return []

    async def _resume(self, http: httpx.AsyncClient, word: Welcome) -> list[FromAgent]:
        self.kept |= {(work.task, work.epoch) for work in word.keep}
        self.runs = {key: run for key, run in self.runs.items() if key in self.kept}
        return [answer for run in list(self.runs.values()) for answer in await self._advance(http, run)]

    async def _advance(self, http: httpx.AsyncClient, run: Run) -> list[FromAgent]:
        if run.cancelled:
            return []
        if run.phase == "plan":
            return [await _planned(http, run)]
        return [_finished(run, "applied")] if run.permitted else [AskPermit(task=run.task, epoch=run.epoch)]


async def _planned(http: httpx.AsyncClient, run: Run) -> Finished:
    """Upload a plan, and return the word that it is made."""
    file = f"plan of task {run.task}, epoch {run.epoch}".encode()
    await _upload(http, run, "file", file)
    await _upload(http, run, "json", json.dumps({"format_version": "1.2", "resource_changes": []}).encode())
    return _finished(run, "planned", exit_code=2, plan=plan_facts(hashlib.sha256(file).hexdigest()))


async def _upload(http: httpx.AsyncClient, run: Run, part: str, content: bytes) -> None:
    headers = {"Authorization": f"Bearer {run.token}", "X-Content-SHA256": hashlib.sha256(content).hexdigest()}
    answer = await http.put(f"/agents/v1/attempt/plan/{part}", content=content, headers=headers)
    assert answer.is_success, answer.text


def _finished(run: Run, outcome: Outcome, *, exit_code: int = 0, plan: PlanFacts | None = None) -> Finished:
    facts: dict[str, Any] = {"seconds": 1.0, "log_bytes": 0, "plan": plan}
    return Finished(task=run.task, epoch=run.epoch, outcome=outcome, exit_code=exit_code, **facts)
