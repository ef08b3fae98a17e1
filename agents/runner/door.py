"""Reports without a socket: the server lets the agent in no more, so each attempt speaks by its own token over HTTP.

Nothing new is taken. The words are those of the socket, from the same outboxes. They are the agent's heartbeat too, so
each attempt says everything unconfirmed, its progress at least, as often as the agent would have beaten.
"""

import asyncio
import logging

from agents.protocol import AskPermit, Cancel, LogStored, Permit, Received, Stop, Work
from agents.runner.agent import Agent
from agents.runner.attempt import Attempt
from agents.runner.errors import AttemptClosed, NotWelcome
from agents.runner.outbox import Word

_HEARD = (Cancel, LogStored, Permit, Received, Stop)
"""Words about an attempt; all else needs a socket."""

log = logging.getLogger(__name__)


class Door:
    """Carries the words of an agent's attempts, each on its own, so that one that is not heard holds up no other."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._speaking: dict[Work, asyncio.Task[None]] = {}

    async def report(self) -> None:
        """Report all that the agent has to its end; return when nothing is left."""
        self._agent.leave()
        beating = asyncio.create_task(self._beat())
        try:
            while not self._agent.idle.is_set():
                self._agent.news.clear()
                self._look()
                await self._agent.news.wait()
        finally:
            for task in (beating, *self._speaking.values()):
                task.cancel()

    async def _beat(self) -> None:
        while True:
            self._agent.repeat()
            await asyncio.sleep(self._agent.heartbeat_seconds)

    def _look(self) -> None:
        for attempt in self._agent.heard():
            if attempt.work not in self._speaking:
                self._speaking[attempt.work] = asyncio.create_task(self._speak(attempt))

    async def _speak(self, attempt: Attempt) -> None:
        """Say what is due; there may be more of it at the end."""
        words = attempt.outbox.due()
        try:
            for word in words:
                await self._say(attempt, word)
        finally:
            del self._speaking[attempt.work]
        if words:
            self._agent.news.set()

    async def _say(self, attempt: Attempt, word: Word) -> None:
        try:
            for answer in await attempt.say(word):
                if isinstance(answer, _HEARD):
                    self._agent.hear(answer)
        except AttemptClosed as closed:
            self._drop(attempt, str(closed))
        except NotWelcome as refusal:
            attempt.log.error("The server takes no reports of it: %s", refusal)
            if not isinstance(word, AskPermit):  # an engine may run: it is left to end, and stores its state itself
                await self._agent.ended(attempt.work)
            self._drop(attempt, str(refusal))

    def _drop(self, attempt: Attempt, reason: str) -> None:
        """Stop an attempt that is not ours; where not even its evidence is taken, try no more."""
        if not attempt.is_ours:
            self._agent.give_up(attempt.work)
            return
        self._agent.hear(Stop(task=attempt.work.task, epoch=attempt.work.epoch, reason=reason))
