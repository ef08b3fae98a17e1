"""The whole platform without engines and sockets: people, workspaces, pools and agents over the real domain code."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from unittest import mock

from django.contrib.auth.models import User
from django.db import connection, transaction

from agents import sweep
from iacplatform.base import clock, ids, news, wakeups
from iacplatform.base.models import Beat
from pools.models import Pool, PoolToken
from tests.simulation.agent import Agent
from tests.simulation.ledger import Ledger
from tests.tasks import factories
from workspaces import edits
from workspaces import signals as workspace_signals
from workspaces.models import StateVersion, Workspace

SLICE_SECONDS = 12
"""Time passes in steps after which a web process counts as up without a break."""


@dataclass
class World:
    """`people` may do everything. Agents are named by their pool."""

    people: list[User] = field(default_factory=list)
    workspaces: list[Workspace] = field(default_factory=list)
    agents: list[Agent] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    woken: set[str] = field(default_factory=set)
    """Groups that a hint has reached and that have not looked yet."""
    hints_lost: bool = False
    """Whether a heartbeat has to make up for one since the last."""

    @classmethod
    def made(cls) -> "World":
        """Return a world with two pools, three agents and three workspaces; nobody is connected."""
        world = cls(people=[factories.person("ann"), factories.person("bob")])
        local, side = Pool.objects.local(), Pool.objects.create(name="side", reservation_seconds=60)
        world._inhabit(local, "local-a", capacity=2)
        world._inhabit(local, "local-b", capacity=1)
        world._inhabit(side, "side-a", capacity=1)
        world.workspaces = [
            factories.workspace(name="shop"),
            factories.workspace(name="shop-auto", auto_apply=True),
            factories.workspace(name="shop-side", execution_mode="agent", pool=side),
        ]
        return world

    def _inhabit(self, pool: Pool, name: str, *, capacity: int) -> None:
        token, _ = PoolToken.issue(pool=pool, name=name)
        self.agents.append(Agent(name, token, capacity, self.ledger))

    def upload_state(self, workspace: Workspace) -> None:
        """Add a state version, as an apply or a person's own machine does."""
        newest = StateVersion.objects.newest_of(workspace.pk)
        with transaction.atomic():
            factories.store_state(workspace.pk, serial=newest.serial + 1 if newest else 1)
            workspace_signals.announce(workspace_signals.state_changed, workspace.pk)

    def move(self, workspace: Workspace, place: str) -> None:
        """Let the workspace's tasks run on the pool `local`, on the pool `side`, or on none."""
        workspace.execution_mode = "local" if place == "local" else "agent"
        workspace.pool = Pool.objects.get(name="side") if place == "side" else None
        edits.save(workspace, ["execution_mode", "pool"])

    def pass_time(self, seconds: int, *, swept: bool, served: bool = True) -> None:
        """Let time pass. `swept`: then the sweep runs; `served`: web processes are up and hear the heartbeats."""
        for begun in range(0, seconds, SLICE_SECONDS):
            clock.shift(timedelta(seconds=min(SLICE_SECONDS, seconds - begun)))
            if served:
                Beat.objects.strike("web:simulated")
                self._heartbeats()
        if swept:
            sweep.sweep()

    def _heartbeats(self) -> None:
        for agent in self.agents:
            if agent.session is not None:
                agent.beat(hints_lost=self.hints_lost)
        self.hints_lost = False


@contextmanager
def deaf() -> Iterator[None]:
    """Lose all news and hints of what is committed inside: the process dies right after each commit."""
    with (
        mock.patch.object(wakeups, "_send", lambda groups: None),
        mock.patch.object(news, "_send", lambda *facts: None),
    ):
        yield


@contextmanager
def same_names() -> Iterator[None]:
    """Make ids count, so that a schedule is the same when it is replayed."""
    numbers = count(1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE tasks_task_id_seq RESTART")
    with mock.patch.object(ids, "new", lambda prefix, length: f"{prefix}{next(numbers):0{length}d}"):
        yield


@contextmanager
def hints_to(woken: set[str]) -> Iterator[None]:
    """Note the wake-ups of each commit instead of sending them."""

    def send(groups: list[str]) -> None:
        woken.update(groups)

    with mock.patch.object(wakeups, "_send", send):
        yield
