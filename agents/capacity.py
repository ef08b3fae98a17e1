"""What a pool can take right now: the free slots of its connected agents, as one look at the database shows them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agents.models import Agent
from iacplatform.base import clock
from pools import freeze
from pools.models import Pool, PoolType
from tasks.attempts import Place
from tasks.models import Task
from tasks.states import Lease


@dataclass(kw_only=True)
class Room:
    """A connected agent, and which of its slots are free."""

    agent: Agent
    free: set[int]

    def has(self, engine: str, version: str = "") -> bool:
        """Return whether the agent has this engine, in this version where one is given."""
        return any(
            found["name"] == engine and (not version or found["version"] == version) for found in self.agent.engines
        )

    def place(self, slot: int) -> Place:
        """Return one of its slots as a place for an attempt."""
        agent = self.agent
        return Place(agent_id=agent.pk, agent_name=agent.name, pod_name=agent.pod_name, slot=slot)


@dataclass(kw_only=True)
class Capacity:
    """The pool as gates see it. `pool` is None for tasks whose workspace names none."""

    pool: Pool | None
    now: datetime
    rooms: list[Room] = field(default_factory=list)
    reservations: list[Task] = field(default_factory=list)  # oldest first

    @property
    def is_frozen(self) -> bool:
        """Whether one of the pool's windows is open, so that nothing new may start."""
        return self.pool is not None and freeze.is_frozen(self.pool.freeze_windows, self.now)

    @property
    def can_grow(self) -> bool:
        """Whether the pool could still get another pod, so that nobody's reservation has to be given up."""
        pool = self.pool
        return pool is not None and pool.pool_type == PoolType.K8S and len(self.rooms) < pool.max_replicas

    def room_of(self, agent_id: str) -> Room | None:
        """Return the connected agent of this id."""
        return next((room for room in self.rooms if room.agent.pk == agent_id), None)

    def holding(self, agent_ids: set[str]) -> list[Task]:
        """Return the reservations on these agents, oldest first."""
        return [task for task in self.reservations if task.agent_id in agent_ids]


def look(pool: Pool | None) -> Capacity:
    """Return the pool's capacity: two queries, whatever the history."""
    if pool is None:
        return Capacity(pool=None, now=clock.now())
    agents = {agent.pk: agent for agent in Agent.objects.filter(pool=pool).connected()}
    leased = list(Task.objects.exclude(lease=Lease.NONE).filter(agent_id__in=agents).order_by("lease_expires_at", "id"))
    rooms = [Room(agent=agent, free=_free(agent, leased)) for agent in agents.values()]
    reserved = [task for task in leased if task.lease == Lease.RESERVED]
    return Capacity(pool=pool, now=clock.now(), rooms=rooms, reservations=reserved)


def _free(agent: Agent, leased: list[Task]) -> set[int]:
    if agent.draining:
        return set()
    return set(range(agent.capacity)) - {
        task.slot for task in leased if task.agent_id == agent.pk and task.slot is not None
    }


def summary(capacity: Capacity) -> dict[str, Any]:
    """Return the numbers that a reason shows as evidence."""
    slots = sum(room.agent.capacity for room in capacity.rooms)
    free = sum(len(room.free) for room in capacity.rooms)
    return {"agents": len(capacity.rooms), "slots": slots, "free": free, "reserved": len(capacity.reservations)}
