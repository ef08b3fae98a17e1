"""The agent: which attempts it has, what it takes on, and what each word of the server means for it."""

import asyncio
import logging

from agents.protocol import (
    HEARTBEAT_SECONDS,
    Accept,
    Cancel,
    Drain,
    FromServer,
    Hello,
    LogStored,
    Offer,
    Permit,
    Received,
    Start,
    Stop,
    Work,
)
from agents.runner import introduction, revival
from agents.runner.attempt import Attempt
from agents.runner.control import EVIDENCE_SECONDS
from agents.runner.offers import Offers
from agents.runner.outbox import Word
from agents.runner.past import Past
from agents.runner.tools import Tools

log = logging.getLogger(__name__)


class Agent:
    """What an agent has and does, whatever connection carries its words. `news` is set when there may be some."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.news = asyncio.Event()
        self.leaving = asyncio.Event()
        self.idle = asyncio.Event()
        """Set when the agent leaves and has nothing any more."""
        self.heartbeat_seconds: float = HEARTBEAT_SECONDS
        """As the server asked for it last."""
        self._attempts: dict[Work, Attempt] = {}
        self._running: dict[Work, asyncio.Task[None]] = {}
        self._offers = Offers()
        self._over = Past()

    @property
    def has_work(self) -> bool:
        """Whether an engine may be at work, or a result is not received."""
        return bool(self._attempts)

    def go_on(self) -> None:
        """Take up what an earlier life of this agent has left in its work folder."""
        for attempt in revival.attempts(self.tools, self.news):
            attempt.log.info("Takes up the %s of its former life (epoch %s).", attempt.phase, attempt.work.epoch)
            self._begin(attempt, [])

    def hello(self) -> Hello:
        """Return the first word of a connection. What was accepted but not started is given up with the old one."""
        self._offers.clear()
        return introduction.hello(self.tools, self._ours())

    def work(self) -> tuple[Work, ...]:
        """Return what the agent has: accepted, running, or with a result that is not received."""
        return (*self._ours(), *self._offers.open())

    def resume(self, keep: tuple[Work, ...]) -> None:
        """Go on over a new connection with what the server keeps; of the rest only bring what is evidence."""
        for work, attempt in list(self._attempts.items()):
            if work not in keep:
                self._drop(work, "the server does not know it any more")
            attempt.outbox.resume()

    def words(self) -> list[Word]:
        """Return what is to be sent now, of all attempts."""
        return [word for attempt in self.heard() for word in attempt.outbox.due()]

    def heard(self) -> list[Attempt]:
        """Return the attempts that the server hears of."""
        return [attempt for attempt in self._attempts.values() if attempt.is_heard]

    def remind(self) -> None:
        """Have said again what the server did not answer."""
        for attempt in self._attempts.values():
            attempt.outbox.remind()

    def repeat(self) -> None:
        """Have everything said again that is not confirmed, and where each attempt is."""
        for attempt in self._attempts.values():
            attempt.outbox.resume()

    async def ended(self, work: Work) -> None:
        """Return when nothing of the attempt runs."""
        if running := self._running.get(work):
            await asyncio.wait((running,))

    def leave(self) -> None:
        """Take nothing new; `idle` is set when the last attempt is over."""
        self.leaving.set()
        self._look_idle()

    def hear(self, word: FromServer) -> Accept | None:
        """Do what the server says; return the answer, where a word has one."""
        match word:
            case Offer():
                return self._consider(word)
            case Start():
                self._start(word)
            case Drain():
                log.info("The server drains this agent.")
                self.leave()
            case Permit() | Cancel() | LogStored() | Received() | Stop():
                self._pass_on(word)
            case _:
                log.warning("The server said %s at the wrong time.", type(word).__name__)
        return None

    def _pass_on(self, word: Permit | Cancel | LogStored | Received | Stop) -> None:
        work = Work(task=word.task, epoch=word.epoch)
        attempt = self._attempts.get(work)
        if isinstance(word, Stop):
            self._drop(work, word.reason)
        elif attempt is None:
            log.info("The server said %s of an attempt that is over.", type(word).__name__, extra={"task": word.task})
        elif isinstance(word, Permit):
            attempt.allow()
        elif isinstance(word, Cancel):
            attempt.cancel(word.grace_seconds)
        elif isinstance(word, LogStored):
            attempt.outbox.stored(word.offset)
        elif work not in self._running:
            self._forget(work)

    def _consider(self, offer: Offer) -> Accept | None:
        work = Work(task=offer.task, epoch=offer.epoch)
        is_known = work in self._attempts or work in self._over
        if self.leaving.is_set() or is_known or not self._has_room(work):
            return None
        self._offers.accept(work)
        return Accept(task=work.task, epoch=work.epoch)

    def _has_room(self, work: Work) -> bool:
        busy = {other for other in self._running if self._attempts[other].takes_slot}
        taken = {*busy, *self._offers.open()} - {work}
        return len(taken) < self.tools.options.capacity

    def _start(self, start: Start) -> None:
        work = Work(task=start.task, epoch=start.epoch)
        self._offers.close(work)
        if work in self._attempts or work in self._over:
            return
        if not self.tools.isolation.keeps_apart and not self.tools.options.has_shared_tasks:
            self.tools.workdir.forget_plans(but=work.task)
        earlier = self._supersede(work)
        self._begin(Attempt(start, self.tools, self.news), earlier)

    def _begin(self, attempt: Attempt, earlier: list[asyncio.Task[None]]) -> None:
        self._attempts[attempt.work] = attempt
        self.tools.workdir.busy = {*self.tools.workdir.busy, attempt.work.task}
        self._running[attempt.work] = asyncio.create_task(self._run(attempt, earlier))

    def _supersede(self, work: Work) -> list[asyncio.Task[None]]:
        """End what there is of earlier attempts of the task; return those that still run."""
        earlier = [other for other in self._attempts if other.task == work.task]
        running = [self._running[other] for other in earlier if other in self._running]
        for other in earlier:
            self._drop(other, "a newer attempt of the task starts")
        return running

    async def _run(self, attempt: Attempt, earlier: list[asyncio.Task[None]]) -> None:
        if earlier:  # two attempts of one task share its folder
            await asyncio.wait(earlier)
        try:
            await attempt.run()
        finally:
            del self._running[attempt.work]
            if not attempt.is_ours:
                self._let_go(attempt)

    def _drop(self, work: Work, reason: str) -> None:
        """End an attempt that is not ours any more; its slot is free when its engine has ended."""
        self._offers.close(work)
        attempt = self._attempts.get(work)
        if attempt is None or not attempt.is_ours:
            return
        attempt.log.info("Stops: %s", reason)
        attempt.stop()
        if work not in self._running:
            self._let_go(attempt)

    def _let_go(self, attempt: Attempt) -> None:
        """Forget an attempt that is not ours, once the server has its evidence or the time for that is over."""
        if attempt.is_heard and attempt.outbox.result:
            asyncio.get_running_loop().call_later(EVIDENCE_SECONDS, self.give_up, attempt.work)
        else:
            self._forget(attempt.work)

    def give_up(self, work: Work) -> None:
        """Try no more to bring what there is of an attempt; it is forgotten when it has ended."""
        attempt = self._attempts.get(work)
        if attempt is None:
            return
        attempt.is_heard = False
        if work not in self._running:
            self._forget(work)

    def _forget(self, work: Work) -> None:
        attempt = self._attempts.pop(work)
        attempt.close()
        if all(other.task != work.task for other in self._attempts):  # a newer attempt of the task uses its folder
            attempt.clear_folder()
        self._over.add(work)
        self.tools.workdir.busy = {work.task for work in self._attempts}
        self.tools.workdir.sweep()
        asyncio.get_running_loop().run_in_executor(None, self.tools.stock.tidy)
        self._look_idle()

    def _ours(self) -> tuple[Work, ...]:
        return tuple(attempt.work for attempt in self._attempts.values() if attempt.is_ours)

    def _look_idle(self) -> None:
        if self.leaving.is_set() and not self._attempts:
            self.idle.set()
            self.news.set()
