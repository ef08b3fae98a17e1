"""A task at the gates, with what they ask about it; each answer is looked up at most once."""

from dataclasses import dataclass
from functools import cached_property

from agents.capacity import Capacity, Room
from tasks import plans
from tasks.attempts import phase_of
from tasks.models import Plan, Task
from tasks.reasons import WaitReason
from tasks.states import Lease, Phase, Status
from workspaces.models import Workspace

STICKY_SECONDS = 5
"""How long a confirmed task waits for the agent that keeps its slot to come back, before it goes anywhere else."""


@dataclass
class Candidate:
    """A task, and the capacity of its pool."""

    task: Task
    capacity: Capacity

    @property
    def workspace(self) -> Workspace:
        """The task's workspace."""
        return self.task.workspace

    @cached_property
    def plan(self) -> Plan | None:
        """The plan that its apply would apply; None while it needs a plan."""
        return Plan.objects.current_of(self.task) if self.task.plan_digest else None

    @cached_property
    def staleness(self) -> WaitReason | None:
        """The reason that says that the state moved after its plan was made; None while that plan fits."""
        return plans.staleness(self.task) if self.task.plan_digest else None

    @property
    def needs_new_plan(self) -> bool:
        """Whether it was confirmed, and its plan can no longer be applied."""
        return self.task.status == Status.CONFIRMED and self.staleness is not None

    @cached_property
    def able(self) -> list[Room]:
        """The connected agents that can do it: they have the engine, or download it."""
        rooms, plan = self.capacity.rooms, self.plan_to_apply
        fitting = [room for room in rooms if self._has_engine(room) or room.fetches(self._engine[0])]
        if plan is not None:
            return [room for room in fitting if room.is_like(plan.os, plan.arch)]
        # Where nobody can plan, one of them says so at once (`engine_missing`) rather than nobody for ever.
        return fitting or rooms

    @cached_property
    def plan_to_apply(self) -> Plan | None:
        """The stored plan, which only its own engine, version and platform can apply; None while it needs a plan."""
        return self.plan if phase_of(self.task) == Phase.APPLY else None

    @cached_property
    def _engine(self) -> tuple[str, str]:
        """The engine that it needs, and the version; empty where any will do."""
        if plan := self.plan_to_apply:
            return plan.engine, plan.version
        return self.workspace.engine, self.workspace.terraform_version

    def _has_engine(self, room: Room) -> bool:
        return room.has(*self._engine)

    @property
    def kept(self) -> Room | None:
        """The agent that keeps a slot for it, is connected, and takes what it is offered."""
        room = self.capacity.room_of(self.task.agent_id) if self.task.lease == Lease.RESERVED else None
        return room if room is not None and room.pause is None else None

    @property
    def awaits_kept_slot(self) -> bool:
        """Whether the agent that keeps its slot was cut off a moment ago and is worth a short wait."""
        task = self.task
        if task.lease != Lease.RESERVED or task.agent_id not in self.capacity.away or task.confirmed_at is None:
            return False
        return (self.capacity.now - task.confirmed_at).total_seconds() < STICKY_SECONDS

    def choose(self) -> tuple[Room, int]:
        """Return the slot that is kept for it, else one of the fullest agent: empty agents stay empty, to go away.

        Agents that would have to download its engine are asked later, and those that let their last offer lapse last.
        """
        kept, slot = self.kept, self.task.slot
        if kept is not None and kept in self.able and slot is not None:
            return kept, slot
        rooms = [room for room in self.able if room.free]
        fullest = min(rooms, key=self._rank)
        return fullest, min(fullest.free)

    def _rank(self, room: Room) -> tuple[bool, bool, int, str]:
        """Return what sorts agents: who is asked first comes first."""
        return room.pause is not None, not self._has_engine(room), len(room.free), room.agent.name
