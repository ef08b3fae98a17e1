"""What a pool can take right now: the free slots of its connected agents, as one look at the database shows them."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from agents import roster, supply
from agents.holds import Hold
from agents.pauses import Pause
from agents.roster import Present
from agents.supply import Supply
from pools.models import Pool, PoolType
from tasks.attempts import Place


@dataclass(kw_only=True)
class Room:
    """A connected agent that takes work, and which of its slots may be offered.

    `pause`: it has let offers lapse. Then it is passed over, and after that asked for one slot at a time. `is_closed`:
    its pod is one beyond the pool's maximum, which takes nothing new; what is kept for a task there stays so.
    """

    agent: Present
    free: set[int]
    pause: Pause | None = None
    is_closed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a slot of it that becomes free may be offered at once."""
        return self.pause is None and not self.is_closed

    def close(self) -> None:
        """Offer no slot of it."""
        self.is_closed, self.free = True, set()

    def has(self, engine: str, version: str = "") -> bool:
        """Return whether the agent has this engine, in this version where one is given."""
        return any(
            found["name"] == engine and (not version or found["version"] == version) for found in self.agent.engines
        )

    def fetches(self, engine: str) -> bool:
        """Return whether the agent downloads whatever version of this engine it lacks."""
        return engine in self.agent.fetches

    def is_like(self, os: str, arch: str) -> bool:
        """Return whether the agent's machine is one of these."""
        return (self.agent.os, self.agent.arch) == (os, arch)

    def place(self, slot: int) -> Place:
        """Return one of its slots as a place for an attempt."""
        agent = self.agent
        return Place(agent_id=agent.agent_id, agent_name=agent.name, pod_name=agent.pod_name, slot=slot)


@dataclass(kw_only=True)
class Capacity:
    """The pool as gates see it. `pool` is None for tasks whose workspace names none.

    `supply`: its pods, which are no capacity before their agents connect; None where people start the agents.
    """

    pool: Pool | None
    now: datetime
    rooms: list[Room] = field(default_factory=list)
    reservations: list[Hold] = field(default_factory=list)  # on the rooms' agents, oldest first
    away: frozenset[str] = frozenset()  # ids of the pool's agents that were cut off within their lease
    leaving: int = 0  # connected agents that take nothing new
    supply: Supply | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether one of the pool's windows is open, so that nothing new may start."""
        return self.pool is not None and self.pool.is_frozen(self.now)

    @cached_property
    def is_tokenless(self) -> bool:
        """Whether no agent can come, for want of a valid token; pods are given theirs."""
        return self.pool is not None and self.supply is None and not self.pool.tokens.valid().exists()

    @property
    def can_grow(self) -> bool:
        """Whether another pod will bring slots, so that nobody's reservation has to be given up."""
        return self.supply is not None and not self.is_frozen and self.supply.can_grow

    def room_of(self, agent_id: str) -> Room | None:
        """Return the connected agent of this id."""
        return next((room for room in self.rooms if room.agent.agent_id == agent_id), None)

    def holding(self, agent_ids: set[str]) -> list[Hold]:
        """Return the reservations on these agents, oldest first."""
        return [hold for hold in self.reservations if hold.agent_id in agent_ids]

    def release(self, agent_id: str, slot: int | None) -> None:
        """Note that a slot became free in this very pass."""
        room = self.room_of(agent_id)
        if room is not None and room.is_open and slot is not None and slot < room.agent.capacity:
            room.free.add(slot)

    def keep_to(self, earlier: "Capacity") -> None:
        """Leave out what became free, was reserved or came since `earlier`: others have a right to it first."""
        left = {room.agent.agent_id: room.free for room in earlier.rooms}
        self.rooms = [room for room in self.rooms if room.agent.agent_id in left]
        for room in self.rooms:
            room.free &= left[room.agent.agent_id]
        self.reservations = [hold for hold in self.reservations if hold in earlier.reservations]

    def summary(self) -> dict[str, Any]:
        """Return the numbers that a reason shows as evidence."""
        slots = sum(room.agent.capacity for room in self.rooms)
        free = sum(len(room.free) for room in self.rooms)
        return {"agents": len(self.rooms), "slots": slots, "free": free, "reserved": len(self.reservations)}


def look(pool_id: str | None, now: datetime, *, waits_for_pauses: bool = True) -> Capacity:
    """Return the pool's capacity at this moment of the database's clock: one query, whatever the history and however
    many agents, and two more for a pool of pods.

    `waits_for_pauses`: agents that are passed over for a while have no free slot until that is over.
    """
    pool, present = roster.of(pool_id) if pool_id else (None, [])
    supplied = supply.look(pool, now) if pool and pool.pool_type == PoolType.K8S else None
    rooms = [_room(agent, now if waits_for_pauses else None) for agent in present if agent.is_working]
    for room in _beyond_most(rooms, supplied):
        room.close()
    kept = [hold for room in rooms for hold in room.agent.holds if hold.is_kept]
    return Capacity(
        pool=pool,
        now=now,
        rooms=rooms,
        reservations=sorted(kept, key=lambda hold: (hold.lease_expires_at or now, hold.task)),
        away=frozenset(agent.agent_id for agent in present if agent.is_away),
        leaving=sum(agent.is_leaving for agent in present),
        supply=supplied,
    )


def _beyond_most(rooms: list[Room], supply: Supply | None) -> list[Room]:
    """Return the agents of the youngest pods beyond a maximum that was lowered: who gets new work stays.

    Of those that are connected and take what they are offered, so that a pool has as many as it may that do.
    """
    if supply is None:
        return []
    age = {pod.name: number for number, pod in enumerate(supply.pods)}
    of_pods = [room for room in rooms if room.agent.pod_name]
    of_pods.sort(key=lambda room: (room.pause is not None, age.get(room.agent.pod_name, len(age))))
    return of_pods[supply.pool.max_replicas :]


def _room(agent: Present, now: datetime | None) -> Room:
    room = Room(agent=agent, free=_free(agent), pause=agent.pause)
    if room.pause is not None:
        is_asked = any(hold.is_offered for hold in agent.holds)
        is_passed_over = now is not None and room.pause.until > now
        room.free = set() if is_asked or is_passed_over else set(sorted(room.free)[:1])
    return room


def _free(agent: Present) -> set[int]:
    return set(range(agent.capacity)) - {hold.slot for hold in agent.holds}
