"""Whether a task may start: one ordered list of questions, each answered by *pass* (None) or by a wait reason.

The dispatcher and `explain` go through the same list, so an explanation cannot drift from what happens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from agents import waits
from agents.capacity import Capacity, Room
from pools.models import PoolType
from tasks import plans, reasons, results, scheduler
from tasks.attempts import phase_of
from tasks.models import Plan, Task
from tasks.reasons import WaitReason
from tasks.states import Lease, Phase, Status
from workspaces.models import Workspace

STICKY_SECONDS = 5
"""How long a confirmed task waits for the agent that keeps its slot to come back, before it goes anywhere else."""


@dataclass
class Candidate:
    """A task at the gates, with what they ask about it."""

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
    def able(self) -> list[Room]:
        """The connected agents that can do it."""
        rooms = self.capacity.rooms
        if phase_of(self.task) == Phase.APPLY and self.plan is not None:
            return [room for room in rooms if _can_apply(room, self.plan)]
        fitting = [room for room in rooms if room.has(self.workspace.engine, self.workspace.terraform_version)]
        # Where no agent has the engine, one of them says so at once (`engine_missing`) rather than nobody for ever.
        return fitting or rooms

    @property
    def kept(self) -> Room | None:
        """The connected agent that keeps a slot for it."""
        return self.capacity.room_of(self.task.agent_id) if self.task.lease == Lease.RESERVED else None


LOCK_GRACE_SECONDS = 24 * 3600
"""How long a confirmed apply may be held back by a person's lock before it counts as stuck."""

Gate = Callable[[Candidate], WaitReason | None]


def workspace_lock(candidate: Candidate) -> WaitReason | None:
    """Nobody holds the workspace, or the task changes nothing."""
    workspace = candidate.workspace
    if candidate.task.is_changing and workspace.is_locked:
        return reasons.workspace_locked(workspace.locked_by, workspace.lock_reason, LOCK_GRACE_SECONDS)
    return None


def queue_position(candidate: Candidate) -> WaitReason | None:
    """It is the workspace's first."""
    task = candidate.task
    if task.status != Status.WAITING:
        return None
    return scheduler.obstacle(task.workspace, scheduler.before(task))


def confirmation(candidate: Candidate) -> WaitReason | None:
    """Its plan is confirmed, or it needs none yet."""
    task, plan = candidate.task, candidate.plan
    if task.status != Status.APPLY_PENDING or plan is None:
        return None
    state = plans.state_now(task.workspace_id)
    if plans.is_outdated(plan, state):
        return reasons.plan_stale({"planned_serial": plan.serial, "serial": state[1]})
    return reasons.awaiting_confirmation(results.sentence(plan))


def state_lock(candidate: Candidate) -> WaitReason | None:
    """No other run holds the state, or the task takes no lock."""
    workspace = candidate.workspace
    if candidate.task.is_changing and hasattr(workspace, "state_lock"):
        return waits.state_locked(workspace.state_lock)
    return None


def back_off(candidate: Candidate) -> WaitReason | None:
    """The pause after an attempt that broke off is over."""
    task = candidate.task
    if task.not_before is None or task.not_before <= candidate.capacity.now:
        return None
    return waits.backing_off(task, candidate.capacity.now)


def pool_set(candidate: Candidate) -> WaitReason | None:
    """The workspace names a pool."""
    return waits.pool_missing(candidate.workspace) if candidate.capacity.pool is None else None


def pool_usable(candidate: Candidate) -> WaitReason | None:
    """The pool has what it needs to run anything."""
    pool = candidate.capacity.pool
    if pool is None or pool.pool_type != PoolType.K8S:
        return None
    if pool.k8s_config_id is None:
        return waits.pool_has_no_config(pool)
    return waits.pool_at_max(pool) if pool.max_replicas == 0 else None


def freeze_window(candidate: Candidate) -> WaitReason | None:
    """The pool starts new work now."""
    pool = candidate.capacity.pool
    return waits.pool_frozen(pool) if pool is not None and candidate.capacity.is_frozen else None


def agents_connected(candidate: Candidate) -> WaitReason | None:
    """Somebody is there to do it."""
    pool = candidate.capacity.pool
    if pool is None or candidate.capacity.rooms:
        return None
    return waits.no_connected_agent(pool)


def matching_agent(candidate: Candidate) -> WaitReason | None:
    """One of them has the right engine, version and platform."""
    if candidate.able:
        return None
    return waits.no_matching_agent(candidate.plan, candidate.workspace, candidate.capacity)


def free_slot(candidate: Candidate) -> WaitReason | None:
    """One of those has a slot: the one kept for the task, or a free one."""
    task = candidate.task
    if candidate.kept in candidate.able:
        return None
    if task.lease == Lease.RESERVED and task.confirmed_at is not None:
        waited = (candidate.capacity.now - task.confirmed_at).total_seconds()
        if waited < STICKY_SECONDS:
            return waits.kept_slot_away(task, STICKY_SECONDS)
    if any(room.free for room in candidate.able):
        return None
    return waits.no_free_slot(candidate.capacity)


GATES: tuple[Gate, ...] = (
    workspace_lock,
    queue_position,
    confirmation,
    state_lock,
    back_off,
    pool_set,
    pool_usable,
    freeze_window,
    agents_connected,
    matching_agent,
    free_slot,
)


def first_obstacle(candidate: Candidate) -> WaitReason | None:
    """Return why the task may not start, or None when it may."""
    return next((reason for gate in GATES if (reason := gate(candidate)) is not None), None)


def _can_apply(room: Room, plan: Plan) -> bool:
    agent = room.agent
    return room.has(plan.engine, plan.version) and (agent.os, agent.arch) == (plan.os, plan.arch)
