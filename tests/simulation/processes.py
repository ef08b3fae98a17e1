"""Our own processes, and how they fail: killed at a statement or right after a commit, or another one acts in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any, NamedTuple, TypeVar
from unittest import mock

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from iacplatform.base import news, wakeups

Answer = TypeVar("Answer")

PATIENCE = "5ms"
"""How long the second process waits for a row of the first, which cannot go on meanwhile."""


class Killed(BaseException):
    """A process of ours was killed: nobody catches that."""


class Fault(NamedTuple):
    """What goes wrong in a step. `kind`: nothing, `deaf` (all news of the step is lost), `killed` before a statement,
    `committed` (killed after a commit), else what another process does before a statement. `number` counts from 1."""

    kind: str
    number: int


NONE = Fault("", 1)
_ENDS = {"killed", "committed"}


class Processes:
    """Runs what a process of ours does, and lets it come to harm. `meanwhile`: what another one may do, by fault."""

    def __init__(self) -> None:
        self.fault = NONE
        self.left = 0
        self.meanwhile: dict[str, Callable[[], object]] = {}

    @contextmanager
    def harmed(self, fault: Fault) -> Iterator[None]:
        """Let the fault strike in one of the processes that run inside."""
        self.fault, self.left = fault, fault.number
        try:
            with _deaf() if fault.kind == "deaf" else nullcontext():
                yield
        finally:
            self.fault = NONE

    def run(self, act: Callable[[], Answer]) -> Answer:
        """Do it in a process. Raises `Killed` when that did not live to the end."""
        if self.fault.kind in {"", "deaf"}:
            return act()
        trap = _Trap(self)
        with connection.execute_wrapper(trap), trap.at_commits():
            return self._lived(act)

    def _lived(self, act: Callable[[], Answer]) -> Answer:
        try:
            return act()
        except Killed:
            self.fault = NONE
            _end_session()
            raise


class _Trap:
    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self.is_dead = False

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        if self.is_dead or (self.processes.fault.kind != "committed" and self._is_due()):
            self._strike()
        return execute(*statement)

    @contextmanager
    def at_commits(self) -> Iterator[None]:
        """Strike after a commit, before its news leaves."""
        wrapper: Any = connections[DEFAULT_DB_ALIAS]
        hooks = wrapper.run_and_clear_commit_hooks

        def tell() -> None:
            if self.processes.fault.kind == "committed" and self._is_due():
                wrapper.run_on_commit = []
                self._strike()
            hooks()

        with mock.patch.object(wrapper, "run_and_clear_commit_hooks", tell):
            yield

    def _is_due(self) -> bool:
        self.processes.left -= 1
        return self.processes.left == 0

    def _strike(self) -> None:
        if self.is_dead or self.processes.fault.kind in _ENDS:
            self.is_dead = True
            raise Killed
        with other_process():
            self.processes.meanwhile[self.processes.fault.kind]()


@contextmanager
def other_process() -> Iterator[None]:
    """Do what is inside on a connection of its own, as another process."""
    mine = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = _second()
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = mine


def close() -> None:
    """Let go of the other process's connection."""
    _drop(_second())
    _second.cache_clear()


@cache
def _second() -> BaseDatabaseWrapper:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [PATIENCE])
    return other


def _end_session() -> None:
    # Leave nothing of it: to connect anew would do no more, and costs as much as fifty statements.
    connection.rollback()
    connection.run_on_commit = []
    connection.connection.execute("RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all()")


def _drop(wrapper: Any) -> None:
    # For good, not into the pool: what the session held, an advisory lock say, ends with it.
    if wrapper.connection is not None:
        wrapper.connection.close()
    wrapper.close()


@contextmanager
def _deaf() -> Iterator[None]:
    nothing = mock.patch.object(wakeups, "_send", lambda groups: None)
    with nothing, mock.patch.object(news, "_send", lambda *facts: None):
        yield
