"""One connection to the server: hello, heartbeats, what the attempts have to say, what the server says."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from agents.protocol import (
    Engine,
    FromAgent,
    FromServer,
    Heartbeat,
    Leaving,
    ProtocolError,
    Refused,
    Welcome,
    dump,
    parse_from_server,
)
from agents.runner.agent import Agent
from agents.runner.errors import NotWelcome

WELCOME_SECONDS = 30
SHORTEST_BEAT_SECONDS = 0.1

log = logging.getLogger(__name__)


class Session:
    """The agent's words over one socket; the socket's end is the session's."""

    def __init__(self, agent: Agent, socket: ClientConnection) -> None:
        self._agent = agent
        self._socket = socket
        self.was_welcome = False
        self._engines: tuple[Engine, ...] = ()
        """As the server knows them."""

    async def run(self) -> None:
        """Talk until the agent is idle and leaves; raise what ended the connection, `NotWelcome` for a refusal."""
        async with asyncio.timeout(WELCOME_SECONDS):
            welcome = await self._greet()
        if welcome is None:
            return
        self.was_welcome = True
        log.info("Connected as %s.", welcome.agent_id)
        self._agent.resume(welcome.keep)
        self._agent.heartbeat_seconds = max(SHORTEST_BEAT_SECONDS, welcome.heartbeat_seconds)
        await self._talk()

    async def say(self, word: FromAgent) -> None:
        """Send one word."""
        await self._socket.send(dump(word))

    async def _greet(self) -> Welcome | None:
        """Return the welcome, None where the server says to come back later."""
        await asyncio.to_thread(self._agent.tools.engines.found)  # starts engines, the first time; the hello names them
        with suppress(ConnectionClosed):  # a server that refuses at once closes before it hears us
            hello = self._agent.hello()
            self._engines = hello.engines
            await self.say(hello)
        answer = await self._next()
        if isinstance(answer, Welcome):
            return answer
        if isinstance(answer, Refused):
            if not answer.retry:
                raise NotWelcome(answer.message)
            log.warning("The server asks to come back later: %s", answer.message)
        return None

    async def _talk(self) -> None:
        duties = (self._report(), self._beat(), self._look_around(), self._leave())
        parts = [asyncio.create_task(self._listen()), *(asyncio.create_task(_outlasting(duty)) for duty in duties)]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            word = await self._next()
            if isinstance(word, Refused):
                log.warning("The server ends the connection: %s", word.message)
                if not word.retry:
                    raise NotWelcome(word.message)
            elif word is not None and (answer := self._agent.hear(word)):
                await self.say(answer)

    async def _next(self) -> FromServer | None:
        """Return the server's next word; None for a message that is none, which is logged."""
        message = await self._socket.recv()
        try:
            return parse_from_server(message if isinstance(message, str) else message.decode(errors="replace"))
        except ProtocolError as error:
            log.warning("The server said something that this agent does not know: %s", error)
            return None

    async def _report(self) -> None:
        while True:
            self._agent.news.clear()
            for word in self._agent.words():
                await self.say(word)
            await self._agent.news.wait()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._agent.heartbeat_seconds)
            self._agent.remind()
            await self.say(Heartbeat(work=self._agent.work(), engines=self._other_engines()))

    async def _look_around(self) -> None:
        """See which engines somebody has put on the machine, or taken away; the next heartbeat tells."""
        while True:
            await asyncio.sleep(self._agent.heartbeat_seconds)
            await asyncio.to_thread(self._agent.tools.engines.refresh)

    def _other_engines(self) -> tuple[Engine, ...] | None:
        """Return the agent's engines when they are others than the server knows; from now on it knows them."""
        before, self._engines = self._engines, self._agent.tools.engines.known
        return None if self._engines == before else self._engines

    async def _leave(self) -> None:
        await self._agent.leaving.wait()
        await self.say(Leaving())
        await self._agent.idle.wait()


async def _outlasting(duty: Coroutine[Any, Any, None]) -> None:
    """Do a duty; when the socket is closed wait, for the one that listens may still hear the server's last words."""
    try:
        await duty
    except ConnectionClosed:
        await asyncio.Event().wait()
