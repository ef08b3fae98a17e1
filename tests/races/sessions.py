"""Sessions that stop before each of their steps: a thread and a connection each, and somebody else who lets them go on.

A step is a statement that another session could notice, or the end of a transaction. Django's `execute_wrapper` shows
the statements; commits and rollbacks it does not show, so that the connection's own two functions are wrapped.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from django.db import connection, connections

from tests.races import footprints
from tests.races.footprints import Footprint, Transaction
from tests.races.patience import patient_session
from tests.waiting import ENOUGH_SECONDS

Action = Callable[[], Any]

_SOON, _LATE = 0.001, 0.05
"""Seconds before a look at who is blocked: where somebody may be, and where by the footprints nobody can."""


class Abandoned(BaseException):
    """Nobody wants to know how this goes on. No handler of the code under test catches it."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a session is about to do."""

    text: str
    touches: Footprint


@dataclass(frozen=True, kw_only=True)
class End:
    """The action has ended, with an answer or with what it raised."""

    answer: Any


News = tuple["Session", Step | End]


class Session:
    """A thread with its own connection that does one action after another, a step at a time."""

    def __init__(self, name: str, news: SimpleQueue[News]) -> None:
        self.name = name
        self.backend = 0
        self.at: Step | End | None = End(answer=None)
        """Where it stands; None while its step is on its way."""
        self.doing: Step | End | None = None
        self.open = Transaction()
        self._news = news
        self._orders: SimpleQueue[Action | bool | None] = SimpleQueue()
        self._is_abandoned = False
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def begin(self, action: Action) -> None:
        """Start an action; it stops before its first step."""
        self.at, self._is_abandoned = None, False
        self._orders.put(action)

    def go(self, *, abandon: bool = False) -> None:
        """Do the next step, or give the action up and roll back."""
        self.doing, self.at = self.at, None
        self._orders.put(not abandon)

    def end(self) -> None:
        """Give the connection back."""
        self._orders.put(None)
        self._thread.join(ENOUGH_SECONDS)

    def _live(self) -> None:
        stops, ends = connection.execute_wrapper(self._before_statement), _ends_done_by(self._end_transaction)
        with patient_session() as self.backend, stops, ends:
            while callable(action := self._orders.get()):
                self._news.put((self, End(answer=self._act(action))))
        connection.close()

    def _act(self, action: Action) -> Any:
        self.open = Transaction()
        try:
            return action()
        except (Exception, Abandoned) as error:
            return error

    def _before_statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statement = footprints.of(sql, params)
        if not connection.in_atomic_block:
            self._stop(sql, statement.alone)
            return execute(sql, params, many, context)
        if statement.is_rollback:
            self._stop("ROLLBACK TO SAVEPOINT", self.open.commit)
        else:
            self._stop(sql, Footprint(sees=statement.sees, locks=statement.locks))
        self.open.add(statement)
        return execute(sql, params, many, context)

    def _end_transaction(self, name: str, act: Action) -> None:
        try:
            self._stop(name, self.open.commit)
            act()
        except Abandoned:
            connection.connection.rollback()
            raise
        finally:
            self.open = Transaction()

    def _stop(self, text: str, touches: Footprint) -> None:
        if self._is_abandoned or touches == Footprint():
            return
        self._news.put((self, Step(text=text, touches=touches)))
        if not self._orders.get():
            self._is_abandoned = True
            raise Abandoned


class Stage:
    """Sessions by name, of which one at a time does a step."""

    def __init__(self, names: list[str]) -> None:
        self._news: SimpleQueue[News] = SimpleQueue()
        self.sessions = {name: Session(name, self._news) for name in names}

    def begin(self, actions: dict[str, Action]) -> None:
        """Bring every session before its first step."""
        for name, action in actions.items():
            self.sessions[name].begin(action)
            self._settle()

    def steps(self) -> dict[str, Step]:
        """Return what each session that is not waiting for another one would do next."""
        return {name: session.at for name, session in self.sessions.items() if isinstance(session.at, Step)}

    def go(self, name: str) -> None:
        """Let one do its step, until every session stands before the next one, has ended, or waits for a lock."""
        before = self.steps()[name]
        waited = [] if before.touches.frees else self.waiting()
        may_wait = before.touches.frees or before.touches.locks & self._held_by_others(name)
        self.sessions[name].go()
        self._settle(waited, _SOON if may_wait else _LATE)

    def waiting(self) -> list[str]:
        """Return who waits for a lock."""
        return [name for name, session in self.sessions.items() if session.at is None]

    def answers(self) -> dict[str, Any]:
        """Return the answer of every action that has ended, or what it raised."""
        return {name: session.at.answer for name, session in self.sessions.items() if isinstance(session.at, End)}

    def abandon(self) -> None:
        """Give up what is under way; of sessions that wait for each other the database ends one."""
        while len(self.answers()) < len(self.sessions):
            for name in self.steps():
                self.sessions[name].go(abandon=True)
            self._hear(ENOUGH_SECONDS)

    def end(self) -> None:
        """End the threads and give their connections back."""
        for session in self.sessions.values():
            session.end()

    def _settle(self, waited: Sequence[str] = (), patience: float = _LATE) -> None:
        """Wait for every session but those that `waited` already and were not freed."""
        while under_way := [name for name in self.waiting() if name not in waited]:
            if not self._hear(patience):
                if self._all_blocked(under_way):
                    self._demand_expected(under_way)
                    return
                patience = min(patience * 2, _LATE)

    def _demand_expected(self, blocked: list[str]) -> None:
        """Fail where the footprints do not know of a lock: orders would be left out because of it."""
        for name in blocked:
            doing = self.sessions[name].doing
            held = self._held_by_others(name)
            assert isinstance(doing, Step) and doing.touches.locks & held, (
                f"{name} waits at {doing}, and others hold {held} only"
            )

    def _held_by_others(self, name: str) -> frozenset[str]:
        return frozenset[str]().union(*(each.open.locks for other, each in self.sessions.items() if other != name))

    def _hear(self, seconds: float) -> bool:
        try:
            session, session_at = self._news.get(timeout=seconds)
        except Empty:
            return False
        session.at = session_at
        return True

    def _all_blocked(self, names: list[str]) -> bool:
        backends = [self.sessions[name].backend for name in names]
        with connection.cursor() as cursor:
            # By one of us: a vacuum that gives pages back blocks for an instant as well.
            blocked = "SELECT bool_and(pg_blocking_pids(pid) && %s::int[]) FROM unnest(%s::int[]) AS pid"
            cursor.execute(blocked, [[session.backend for session in self.sessions.values()], backends])
            return bool(cursor.fetchone()[0])


@contextmanager
def _ends_done_by(end: Callable[[str, Action], None]) -> Iterator[None]:
    """Have every commit and rollback of this thread's connection done by `end`, which gets its name and the deed."""
    wrapper: Any = connections["default"]
    commit, rollback = wrapper._commit, wrapper._rollback
    wrapper._commit = lambda: end("COMMIT", commit)
    wrapper._rollback = lambda: end("ROLLBACK", rollback)
    try:
        yield
    finally:
        del wrapper._commit, wrapper._rollback
