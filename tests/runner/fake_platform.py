"""A platform of the tests' own: the words of `agents/protocol.py` over a real socket, everything in memory."""

import asyncio
import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from agents import protocol
from agents.protocol import (
    Accept,
    AskPermit,
    Finished,
    FromAgent,
    FromServer,
    Heartbeat,
    Hello,
    Log,
    LogStored,
    Offer,
    Permit,
    Received,
    Refused,
    Start,
    Stop,
    Welcome,
    Work,
)
from tests.runner.front import Front
from tests.runner.http_side import TOKEN, Server, Store
from tests.waiting import ENOUGH_SECONDS

POOL_TOKEN = "pool-token-6f1d2c"


class FakePlatform:
    """Runs in a thread of its own; tests read its records and wait on them."""

    def __init__(self) -> None:
        self.store = Store(hear=self._hear)
        self.words: list[FromAgent] = []
        self.words_at_door: list[FromAgent] = []
        self.logs: dict[Work, bytearray] = {}
        self.results: dict[Work, Finished] = {}
        self.withdrawn: set[Work] = set()
        self.welcomes = self.refusals = self._beats_before = 0
        self.at_door: list[FromServer] = []
        self.pool_tokens = {POOL_TOKEN}
        self.permits = True
        self.acknowledges = True
        self.refusal: Refused | None = None
        self.keeps: Callable[[Work], bool] = lambda work: work not in self.results
        self._socket: ServerConnection | None = None
        self._loop = asyncio.new_event_loop()
        self._http = Server(self.store)
        self._ready = threading.Event()
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True).start()
        assert self._ready.wait(ENOUGH_SECONDS)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def is_connected(self) -> bool:
        return self._socket is not None

    def said(self, word: type[Any]) -> list[Any]:
        """Return the words of one kind, in order."""
        return [said for said in self.words if isinstance(said, word)]

    def work(self) -> tuple[Work, ...] | None:
        """Return what the agent had at its last heartbeat of this session; None before the first."""
        beats = self.said(Heartbeat)[self._beats_before :]
        return beats[-1].work if beats else None

    def log(self, task: int, epoch: int = 1) -> str:
        return bytes(self.logs.get(Work(task=task, epoch=epoch), b"")).decode()

    def result(self, task: int, epoch: int = 1) -> Finished | None:
        return self.results.get(Work(task=task, epoch=epoch))

    def offer(self, job: dict[str, Any]) -> None:
        """Offer a job's attempt to the connected agent."""
        self.store.jobs[f"{TOKEN}{job['task']}-{job['epoch']}"] = job
        self.tell(Offer(task=job["task"], epoch=job["epoch"], phase=job["phase"], slot=0, accept_seconds=10))

    def revoke(self) -> None:
        """Close the agent's socket for good: its pool token is revoked."""
        self.refusal = Refused(code="token_revoked", message="The pool token was revoked.", retry=False)
        self.tell(self.refusal)

    def tell(self, word: FromServer) -> None:
        """Say a word to the connected agent."""
        asyncio.run_coroutine_threadsafe(self._say(protocol.dump(word)), self._loop).result(10)

    def tell_text(self, text: str) -> None:
        """Say something that need not be a word."""
        asyncio.run_coroutine_threadsafe(self._say(text), self._loop).result(10)

    def cut(self) -> None:
        """Cut all links, and refuse new ones until `mend`."""
        self._loop.call_soon_threadsafe(self._front.cut)

    def drop(self) -> None:
        """Cut all links once."""
        self._loop.call_soon_threadsafe(self._front.drop)

    def break_at(self, breaks: Iterator[tuple[bool, int]]) -> None:
        """Break the next WebSockets after so many bytes of what the agent says (true) or hears."""
        self._front.breaks = breaks

    def mend(self) -> None:
        self._front.is_cut = False

    def parts(self, task: int) -> dict[str, bytes]:
        return self.store.parts.get(task, {})

    def stored_plan(self, task: int, epoch: int = 1) -> dict[str, Any]:
        """Return the member `plan` of an apply's job, from what the plan's attempt stored and reported."""
        result = self.result(task, epoch)
        assert result and result.plan, "the plan has not ended well"
        names = ("digest", "engine", "version", "os", "arch")
        digests = {part: hashlib.sha256(data).hexdigest() for part, data in self.parts(task).items()}
        return {**{name: getattr(result.plan, name) for name in names}, "parts": digests}

    async def _serve(self) -> None:
        async with serve(self._talk, "127.0.0.1", 0, compression=None) as websockets:
            port = websockets.sockets[0].getsockname()[1]
            self._front = Front(port, self._http.server_address[1])
            front = await asyncio.start_server(self._front.accept, "127.0.0.1", 0)
            self._port = front.sockets[0].getsockname()[1]
            self._ready.set()
            await asyncio.Event().wait()

    async def _say(self, text: str) -> None:
        assert self._socket, "no agent is connected"
        await self._socket.send(text)

    async def _talk(self, socket: ServerConnection) -> None:
        assert socket.request
        if self.refusal or socket.request.headers["Authorization"].removeprefix("Bearer ") not in self.pool_tokens:
            refusal = self.refusal or Refused(code="token", message="The pool token is wrong.", retry=False)
            await socket.send(protocol.dump(refusal))
            self.refusals += 1
            return
        with suppress(ConnectionClosed):
            await self._listen(socket)
        if self._socket is socket:
            self._socket = None

    async def _listen(self, socket: ServerConnection) -> None:
        async for message in socket:
            word = protocol.parse_from_agent(str(message))
            self.words.append(word)
            if isinstance(word, Hello):
                self._socket = socket
            for answer in self._answers(word):
                await socket.send(protocol.dump(answer))

    def _hear(self, text: str) -> str:
        """Answer a word at the attempts' own door, where no apply is permitted."""
        word = protocol.parse_from_agent(text)
        self.words_at_door.append(word)
        if isinstance(word, AskPermit):
            answers: list[FromServer] = [Stop(task=word.task, epoch=word.epoch, reason="It may begin nothing.")]
        else:
            answers = [*self._answers(word), *self.at_door]
        return f"[{','.join(map(protocol.dump, answers))}]"

    def _answers(self, word: FromAgent) -> list[FromServer]:
        match word:
            case Hello():
                self.welcomes += 1
                self._beats_before = len(self.said(Heartbeat))
                keep = tuple(work for work in word.work if self.keeps(work))
                return [Welcome(version="1", agent_id="agent-1", session="s", heartbeat_seconds=0.3, keep=keep)]
            case Accept():
                return [self._start(word)]
            case AskPermit() if self.permits:
                return [Permit(task=word.task, epoch=word.epoch)]
            case Log() if self.acknowledges:
                return [self._logged(word)]
            case Finished() if self.acknowledges:
                self.results[Work(task=word.task, epoch=word.epoch)] = word
                return [Received(task=word.task, epoch=word.epoch)]
        return []

    def _start(self, word: Accept) -> Start | Stop:
        token, work = f"{TOKEN}{word.task}-{word.epoch}", Work(task=word.task, epoch=word.epoch)
        if work in self.withdrawn:
            return Stop(task=word.task, epoch=word.epoch, reason="The offer is gone.")
        return Start(task=word.task, epoch=word.epoch, phase=self.store.jobs[token]["phase"], token=token)

    def _logged(self, word: Log) -> LogStored:
        log = self.logs.setdefault(Work(task=word.task, epoch=word.epoch), bytearray())
        data = base64.b64decode(word.data)
        if word.offset <= len(log):
            log += data[len(log) - word.offset :]
        return LogStored(task=word.task, epoch=word.epoch, offset=len(log))
