"""The whole platform without engines and sockets: people, workspaces, pools and agents over the real domain code."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from unittest import mock

from django.contrib.auth.models import User
from django.db import connection

from agents import sweep
from iacplatform.base import ids, wakeups
from iacplatform.base.models import Beat
from iacplatform.base.wakeups import Hint
from pools.models import Pool, PoolToken
from tasks import creation
from tasks.models import Task
from tasks.models.querysets import Tasks
from tasks.states import TaskType
from tests.simulation import clockwork
from tests.simulation.agent import Agent
from tests.simulation.ledger import Ledger
from tests.simulation.processes import Killed, Processes, other_process
from tests.tasks import factories
from workspaces.models import Workspace

FIRST = [TaskType.PLAN_AND_APPLY, TaskType.PLAN_AND_APPLY, TaskType.DESTROY]

SLICE_SECONDS = 12
"""Time passes in steps after which a web process counts as up without a break."""

SHORTEST_SILENCE_SECONDS = 10
LONGEST_SILENCE_SECONDS = 30
"""Agents are heard at least so often: one more slice, and they still keep their lease."""


@dataclass
class World:
    """`people` may do everything. Agents are named by their pool."""

    ledger: Ledger = field(default_factory=Ledger)
    processes: Processes = field(default_factory=Processes)
    people: list[User] = field(default_factory=list)
    workspaces: list[Workspace] = field(default_factory=list)
    agents: list[Agent] = field(default_factory=list)
    woken: dict[Hint, None] = field(default_factory=dict)
    """Hints that were sent, and that nobody has heard yet."""
    hints_lost: bool = False
    """Whether a heartbeat has to make up for one since the last."""
    beaten_at: float = 0.0
    """When agents last said that they live."""
    numbers: int = 0
    """Names given so far."""
    is_stalled: bool = False
    """Whether a worker stands still that holds the sweep's lock."""

    @classmethod
    def made(cls) -> "World":
        """Return a world with two pools, three connected agents, and three workspaces with a task in each."""
        world = cls()
        with world.alive():
            world._settle()
        return world

    def _settle(self) -> None:
        self.people = [factories.person("ann"), factories.person("bob")]
        local, side = Pool.objects.local(), Pool.objects.create(name="side", reservation_seconds=60)
        self._inhabit(local, "local-a", capacity=2)
        self._inhabit(local, "local-b", capacity=1)
        self._inhabit(side, "side-a", capacity=1)
        self.workspaces = [
            factories.workspace(name="shop"),
            factories.workspace(name="shop-auto", auto_apply=True),
            factories.workspace(name="shop-side", execution_mode="agent", pool=side),
        ]
        for agent in self.agents:
            agent.connect()
        for workspace, task_type in zip(self.workspaces, FIRST, strict=True):
            creation.create(workspace, task_type=task_type, by=self.people[0])
        self.ledger.beforehand.add(Task.objects.get(workspace=self.workspaces[1]).pk)

    def _inhabit(self, pool: Pool, name: str, *, capacity: int) -> None:
        token, _ = PoolToken.issue(pool=pool, name=name)
        agent = Agent(name=name, token=token, capacity=capacity, ledger=self.ledger, processes=self.processes)
        self.agents.append(agent)

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Hear hints. Give names that count, and take pools in order, so that a replay of a schedule is the same."""
        numbers = count(self.numbers + 1)

        def name(prefix: str, length: int) -> str:
            self.numbers = next(numbers)
            return f"{prefix}{self.numbers:0{length}d}"

        hints = mock.patch.object(wakeups, "_send", self._hear)
        pools = mock.patch.object(Tasks, "pool_ids", _pools_in_order)
        with hints, pools, mock.patch.object(ids, "new", name):
            yield

    def _hear(self, hints: Sequence[Hint]) -> None:
        self.woken.update(dict.fromkeys(hints))

    def meanwhile(self) -> dict[str, Callable[[], object]]:
        """Return what another process may do between two statements of one."""
        return {"sweep": self._sweep, "late sweep": self._sweep_late}

    def pass_time(self, seconds: int, *, swept: bool, served: bool = True) -> bool:
        """Let time pass; return whether everything was looked at then. `swept`: a worker is at work; `served`: web
        processes are up and hear the heartbeats."""
        for begun in range(0, seconds, SLICE_SECONDS):
            left = seconds - begun
            self._advance(min(SLICE_SECONDS, left))
            if served:
                self.ledger.serve()
                Beat.objects.strike("web:simulated")
                self._heartbeats(at_the_end=left <= SLICE_SECONDS)
        return swept and self.sweep()

    def be_away(self, seconds: int) -> None:
        """Let long time pass while nothing of ours is up."""
        self._advance(seconds)

    def sweep(self) -> bool:
        """Let a worker sweep; return whether it lived and looked at everything."""
        try:
            return self.processes.run(self._sweep)
        except Killed:
            return False

    def stall(self, is_stalled: bool) -> None:
        """Let a worker stand still that holds the sweep's lock, or end it."""
        if is_stalled == self.is_stalled:
            return
        self.is_stalled = is_stalled
        verb = "pg_advisory_lock(hashtextextended('sweep', 0))" if is_stalled else "pg_advisory_unlock_all()"
        with other_process(), connection.cursor() as cursor:
            cursor.execute(f"SELECT {verb}")

    def _sweep_late(self) -> None:
        """Sweep as another worker does when the first was stalled for too long."""
        self._advance(sweep.STALLED_SECONDS + 1)
        self._sweep()

    def _sweep(self) -> bool:
        self.ledger.sweep()
        return sweep.sweep()

    def _advance(self, seconds: float) -> None:
        self.ledger.now += seconds
        clockwork.show(self.ledger.now)

    def _heartbeats(self, *, at_the_end: bool) -> None:
        silence = self.ledger.now - self.beaten_at
        if silence < (SHORTEST_SILENCE_SECONDS if at_the_end else LONGEST_SILENCE_SECONDS):
            return
        self.beaten_at = self.ledger.now
        for agent in self.agents:
            agent.beat(hints_lost=self.hints_lost)
        self.hints_lost = False


class InOrder(set[str | None]):
    """Ids of pools, which a set would bring in an order of its own in each process."""

    def __iter__(self) -> Iterator[str | None]:
        # The pool `local` has a random id, which is never the smallest.
        return iter(sorted(super().__iter__(), key=str))

    def __or__(self, others: Any) -> "InOrder":  # type: ignore[override] # of ids alone
        return InOrder(super().__or__(others))


_POOL_IDS = Tasks.pool_ids


def _pools_in_order(tasks: Tasks) -> set[str | None]:
    return InOrder(_POOL_IDS(tasks))


def pick(things: Any, number: int) -> Any:
    """Return one of them, the same for the same number."""
    return things[number % len(things)]
