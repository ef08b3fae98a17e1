"""Carries words between an agent's socket and `reports`; holds no truth, and may end at any instruction."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from agents import beats, commands, offers, protocol, reports, sessions
from agents.commands import Told
from agents.protocol import Finished, FromServer, Heartbeat, Hello, ProtocolError, Refused
from agents.sessions import Rejected, Session
from iacplatform.base.problems import Problem
from pools.models import PoolToken

HELLO_SECONDS = 10
CLOSED = 4400
"""Close code after a `Refused`; the word says why."""
QUIET = Heartbeat(work=())

Answer = TypeVar("Answer")
Words = list[FromServer]

log = logging.getLogger(__name__)


async def _in_thread(act: Callable[..., Answer], *args: Any) -> Answer:
    # Agents must not queue behind one another's queries, as they would in the one thread for sensitive code.
    answer: Answer = await database_sync_to_async(act, thread_sensitive=False)(*args)
    return answer


class AgentConsumer(AsyncWebsocketConsumer):
    """One agent's socket at `/agents/v1/connect`."""

    token: PoolToken | None = None
    session: Session | None = None
    is_over = False
    deadline: asyncio.TimerHandle | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand a message to its method.

        Channels closes old database connections first, in a thread that has none of ours: `_in_thread` does it where
        they are, and each word is spared a change of threads.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        """Let in who shows a pool token, and nobody who comes from a browser."""
        self.told = Told()
        headers = {name.lower(): value for name, value in self.scope["headers"]}
        await self.accept()
        if b"origin" in headers or b"cookie" in headers:
            await self._refuse(Refused(code="browser", message="Agents connect here, not browsers.", retry=False))
        else:
            await self._answer(self._authenticate(headers.get(b"authorization", b"").decode(errors="replace")))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Hand a word on and send the answers; a word that is none ends the socket with a sentence."""
        if not self.is_over:
            await self._answer(self._hear(text_data or ""))

    async def wake(self, event: dict[str, Any]) -> None:
        """Somebody changed a row that concerns this agent: say the offer that came along, or what is unheard."""
        if self.session is not None and not self.is_over:
            await self._answer(self._news(self.session, event.get("word", "")))

    async def resync(self, event: dict[str, Any]) -> None:
        """News may have been lost: look at everything."""
        await self.wake(event)

    async def disconnect(self, code: int) -> None:
        """Say that the socket is gone; the agent's slots stay until its lease ends."""
        self.is_over = True
        if self.deadline is not None:
            self.deadline.cancel()
        if self.session is not None:
            await self._close(self.session)

    async def _news(self, session: Session, word: str) -> Words:
        if offer := offers.brought(word):
            return commands.passed_on(offer, self.told)
        return await _in_thread(commands.pending, session, self.told)

    async def _authenticate(self, header: str) -> Words:
        kind, _, text = header.partition(" ")
        self.token = await _in_thread(sessions.token_of, text.strip()) if kind.lower() == "bearer" else None
        if self.token is None:
            message = "The pool token is wrong, revoked or expired: make one on the pool's page, give it to the agent."
            raise Rejected("token", message, retry=False)
        self.deadline = asyncio.get_running_loop().call_later(HELLO_SECONDS, self._too_quiet)
        return []

    def _too_quiet(self) -> None:
        word = Refused(code="no_hello", message=f"No hello came within {HELLO_SECONDS} s.", retry=True)
        self.farewell = asyncio.ensure_future(self._refuse(word))

    async def _hear(self, text: str) -> Words:
        word = self._word(text)
        if self.session is None:
            return await self._greet(word)
        if self._is_quiet(word) and await beats.of_running_loop().store(self.session):
            return []
        answers = await _in_thread(reports.handle, self.session, word)
        if isinstance(word, Finished):
            self.told.held.discard((word.task, word.epoch))  # it knows; no look is needed whether it has to be told
        if isinstance(word, Heartbeat):
            # A hint may have been lost for good: then this is when the agent hears what the rows say.
            answers = [*answers, *await _in_thread(commands.pending, self.session, self.told)]
        return answers

    def _is_quiet(self, word: protocol.FromAgent) -> bool:
        """Whether it is a heartbeat of an agent that has nothing, as far as this socket knows."""
        return word == QUIET and self.told == Told()

    def _word(self, text: str) -> protocol.FromAgent:
        try:
            return protocol.parse_from_agent(text)
        except ProtocolError:
            if self.session is None:
                sessions.demand_version(text)
            raise

    async def _greet(self, word: protocol.FromAgent) -> Words:
        if self.token is None or not isinstance(word, Hello):
            raise ProtocolError("The first word is a hello.")
        if self.deadline is not None:
            self.deadline.cancel()
        session, welcome = await _in_thread(sessions.open_session, self.token, word)
        self.session, self.token = session, None  # which has its pool with it, and is looked up anew whenever it counts
        # First the groups and then the rows, so that no news falls in between.
        for group in self._groups(session):
            await self.channel_layer.group_add(group, self.channel_name)
        return [welcome, *await _in_thread(commands.pending, session, self.told)]

    async def _answer(self, work: Awaitable[Words]) -> None:
        """Send the words that come of the work, or the one that says why there are none."""
        try:
            words = await work
        except ProtocolError as error:
            await self._refuse(Refused(code="bad_word", message=str(error), retry=True))
        except Rejected as error:
            await self._refuse(error.word)
        except Problem as error:
            await self._refuse(Refused(code=error.code, message=error.detail, retry=True))
        except DatabaseError as error:
            log.warning("The database did not answer.", extra={"error": type(error).__name__, **self._log_fields()})
            await self._refuse(Refused(code="try_again", message="The database does not answer.", retry=True))
        except Exception:
            # Our own fault: the agent must hear of it and come back, not wait on a socket that answers nothing.
            log.exception("A word could not be dealt with.", extra=self._log_fields())
            await self._refuse(Refused(code="error", message="The server failed; its log says how.", retry=True))
        else:
            await self._say(words)

    async def _say(self, words: Words) -> None:
        for word in words:
            await self.send(text_data=protocol.dump(word))

    async def _refuse(self, word: Refused) -> None:
        if not self.is_over:
            self.is_over = True
            await self.send(text_data=protocol.dump(word))
            await self.close(code=CLOSED)

    async def _close(self, session: Session) -> None:
        for group in self._groups(session):
            await self.channel_layer.group_discard(group, self.channel_name)
        try:
            await _in_thread(sessions.close, session)
        except DatabaseError as error:
            log.warning("A session was left open.", extra={"error": type(error).__name__, **session.log_fields()})

    def _log_fields(self) -> dict[str, Any]:
        return self.session.log_fields() if self.session else {}

    @staticmethod
    def _groups(session: Session) -> tuple[str, str]:
        return f"agent.{session.agent_id}", f"token.{session.token_id}"
