"""Simulated agents whose tasks write: each with the agent's own spool and outbox, over a socket of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection

from agents import protocol
from agents.protocol import Accept, Finished, FromServer, Heartbeat, LogStored, Offer, Received, Start, Work
from agents.runner.connection import PATH
from agents.runner.masking import Masker
from agents.runner.outbox import Outbox
from agents.runner.spool import Spool
from agents.runner.steps import LOOK_SECONDS
from benchmarks import crowd
from benchmarks.installation import Installation

PATIENCE_SECONDS = 120
POOL = "writers"


class Writer:
    """An agent of one slot. `begun`: its task runs; `stored`: the server has the whole log; `ended`: and the result."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        self.begun, self.stored, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._news = asyncio.Event()
        self._outbox: Outbox | None = None
        self._spool: Spool | None = None

    async def live(self, address: str, token: str) -> None:
        """Be connected until cancelled."""
        headers = {"Authorization": f"Bearer {token}"}
        connecting = websockets.connect(address, additional_headers=headers, compression=None)
        async with connecting as socket, asyncio.TaskGroup() as duties:
            await socket.send(protocol.dump(crowd.hello(self.name)))
            duties.create_task(self._report(socket))
            duties.create_task(self._beat(socket))
            async for text in socket:
                if answer := self._hear(protocol.parse_from_server(str(text))):
                    await socket.send(protocol.dump(answer))

    def write(self, text: str) -> None:
        """Add to the log, as an engine's output is."""
        spool, outbox = self._running()
        spool.write(text)
        outbox.log_grew()

    def spool(self, text: str) -> None:
        """Add to the log, and send nothing yet."""
        self._running()[0].write(text)

    async def send(self) -> None:
        """Send all of the log, and return when it is stored."""
        self.stored.clear()
        self._running()[1].send_log()
        await asyncio.wait_for(self.stored.wait(), PATIENCE_SECONDS)

    async def finish(self) -> None:
        """End the task."""
        facts: dict[str, Any] = {"exit_code": 1, "seconds": 0.0, "log_bytes": 0, "error_message": "That was all."}
        outbox = self._running()[1]
        outbox.finish(Finished(task=outbox.work.task, epoch=outbox.work.epoch, outcome="failed", **facts))
        await asyncio.wait_for(self.ended.wait(), PATIENCE_SECONDS)

    def _running(self) -> tuple[Spool, Outbox]:
        if self._spool is None or self._outbox is None:
            raise SystemExit(f"{self.name} has no task.")
        return self._spool, self._outbox

    def _hear(self, word: FromServer) -> Accept | None:
        if isinstance(word, Offer):
            return Accept(task=word.task, epoch=word.epoch)
        if isinstance(word, Start):
            self._begin(Work(task=word.task, epoch=word.epoch))
        elif isinstance(word, LogStored):
            self._note(word)
        elif isinstance(word, Received):
            self._outbox = None
            self.ended.set()
        return None

    def _begin(self, work: Work) -> None:
        self._spool = Spool(self._folder / f"{work.task}.log", Masker([]))
        self._outbox = Outbox(work, self._news)
        self._outbox.open_log(self._spool)
        self.ended.clear()
        self.begun.set()

    def _note(self, word: LogStored) -> None:
        _, outbox = self._running()
        outbox.stored(word.offset)
        if outbox.is_log_stored:
            self.stored.set()

    async def _report(self, socket: ClientConnection) -> None:
        while True:
            self._news.clear()
            for word in self._outbox.due() if self._outbox else ():
                await socket.send(protocol.dump(word))
            await self._news.wait()

    async def _beat(self, socket: ClientConnection) -> None:
        while True:
            await asyncio.sleep(protocol.HEARTBEAT_SECONDS)
            await socket.send(protocol.dump(Heartbeat(work=(self._outbox.work,) if self._outbox else ())))


class Writers:
    """Some of them in a pool of their own, each with a workspace."""

    def __init__(self, here: Installation, number: int, api: httpx.AsyncClient) -> None:
        self._here, self._api = here, api
        folder = here.home / "spools"
        folder.mkdir(exist_ok=True)
        self.all = [Writer(f"writer-{each}", folder) for each in range(number)]
        self._workspaces: list[str] = []

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Sequence[Writer]]:
        """Let them be there."""
        pool = await self._made("/pools", name=POOL, pool_type="static")
        for writer in self.all:
            self._workspaces.append(await self._workspace(writer.name, pool["pool_id"]))
        address, token = self._here.url.replace("http", "ws", 1) + PATH, self._here.pool_token(POOL)
        lives = [asyncio.create_task(writer.live(address, token)) for writer in self.all]
        try:
            yield self.all
        finally:
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)

    async def begin(self) -> None:
        """Give each a task, and return when all run."""
        for workspace in self._workspaces:
            await self._made(f"/workspaces/{workspace}/tasks", task_type="plan")
        for writer in self.all:
            await asyncio.wait_for(writer.begun.wait(), PATIENCE_SECONDS)
            writer.begun.clear()

    async def finish(self) -> None:
        """End the tasks."""
        await asyncio.gather(*(writer.finish() for writer in self.all))

    async def _workspace(self, name: str, pool: str) -> str:
        path = str((await self._made("/workspaces", name=name, execution_mode="agent", pool_id=pool))["workspace_id"])
        files = {"main.tf": 'resource "terraform_data" "one" {}\n'}
        await self._made(f"/workspaces/{path}/configurations", files=files)
        return path

    async def _made(self, path: str, **body: object) -> dict[str, Any]:
        answer: dict[str, Any] = (await self._api.post(path, json=body)).raise_for_status().json()
        return answer


async def trickle(writer: Writer, line: str, lines_per_second: float) -> None:
    """Write so much until cancelled, as often as an agent looks at what its engine says."""
    await asyncio.sleep(hash(writer.name) % 100 / 100 * LOOK_SECONDS)  # not all at once
    owed = 0.0
    while True:
        owed += lines_per_second * LOOK_SECONDS
        if number := int(owed):
            writer.write(line * number)
            owed -= number
        await asyncio.sleep(LOOK_SECONDS)
