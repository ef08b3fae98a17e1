"""Whether a task may start: one ordered list of questions, each answered by *pass* (None) or by a wait reason.

The dispatcher and `explain` go through the same list, so an explanation cannot drift from what happens.
"""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings

from agents import orphans, pod_waits, waits
from agents.candidates import Candidate
from pools.models import PoolType
from tasks import reasons, results, scheduler
from tasks.reasons import Code, WaitReason
from tasks.states import RUNNABLE, Status

Gate = Callable[[Candidate], WaitReason | None]


def workspace_lock(candidate: Candidate) -> WaitReason | None:
    """Nobody holds the workspace, or the task changes nothing."""
    task, workspace = candidate.task, candidate.workspace
    if not (task.is_changing and workspace.is_locked):
        return None
    grace = waits.LOCK_GRACE_SECONDS if task.status in RUNNABLE else None
    return reasons.workspace_locked(workspace.locked_by, workspace.lock_reason, grace)


def queue_position(candidate: Candidate) -> WaitReason | None:
    """It is the workspace's first."""
    task = candidate.task
    if task.status != Status.WAITING:
        return None
    return scheduler.obstacle(task.workspace, scheduler.before(task))


def confirmation(candidate: Candidate) -> WaitReason | None:
    """Its plan is confirmed, or it needs none yet."""
    plan = candidate.plan
    if candidate.task.status != Status.APPLY_PENDING or plan is None:
        return None
    is_first = candidate.task.plan_count == 1
    return candidate.staleness or reasons.awaiting_confirmation(results.sentence(plan), is_first=is_first)


def state_lock(candidate: Candidate) -> WaitReason | None:
    """No other run holds the state, or the task takes no lock."""
    workspace = candidate.workspace
    if candidate.task.is_changing and hasattr(workspace, "state_lock"):
        return waits.state_locked(workspace.state_lock, orphans.sign_of_life(workspace.state_lock))
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
    return pod_waits.pool_allows_none(pool) if pool.max_replicas == 0 and not _is_served(candidate) else None


def freeze_window(candidate: Candidate) -> WaitReason | None:
    """The pool starts new work now."""
    pool, now = candidate.capacity.pool, candidate.capacity.now
    return waits.pool_frozen(pool, now) if pool is not None and candidate.capacity.is_frozen else None


def agents_connected(candidate: Candidate) -> WaitReason | None:
    """Somebody is there to do it."""
    capacity = candidate.capacity
    if capacity.pool is None or capacity.rooms:
        return None
    if capacity.supply is not None:
        return pod_waits.missing_slot(capacity, capacity.supply)
    return waits.no_connected_agent(capacity.pool, capacity.leaving, tokenless=capacity.is_tokenless)


def matching_agent(candidate: Candidate) -> WaitReason | None:
    """One of them has, or downloads, the right engine and version, and is of the right platform."""
    plan = candidate.plan_to_apply
    if candidate.able or plan is None:
        return None
    return waits.no_matching_agent(plan, candidate.capacity, is_out_of_reach=_is_out_of_reach(candidate))


def free_slot(candidate: Candidate) -> WaitReason | None:
    """One of those has a slot: the one kept for the task, or a free one."""
    if candidate.kept in candidate.able:
        return None
    if candidate.awaits_kept_slot:
        return waits.kept_slot_away(candidate.task)
    if any(room.free for room in candidate.able):
        return None
    capacity = candidate.capacity
    deaf = [room for room in candidate.able if room.pause is not None]
    if deaf and not (capacity.supply and capacity.supply.coming):
        return waits.nobody_accepts(deaf)
    return pod_waits.missing_slot(capacity, capacity.supply) if capacity.supply else waits.no_free_slot(capacity)


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


def first_closed(candidate: Candidate) -> tuple[Gate, WaitReason] | tuple[None, None]:
    """Return the gate where the task has to wait, and why; nothing twice when it may start."""
    return next(((gate, reason) for gate in GATES if (reason := gate(candidate)) is not None), (None, None))


def first_obstacle(candidate: Candidate) -> WaitReason | None:
    """Return why the task may not start, or None when it may."""
    return first_closed(candidate)[1]


def _is_served(candidate: Candidate) -> bool:
    """Whether a pool that may have no pods still has a slot for the task: one kept for it, or people's agents."""
    rooms = candidate.capacity.rooms
    return candidate.kept is not None or any(not room.agent.pod_name for room in rooms)


def _is_out_of_reach(candidate: Candidate) -> bool:
    """Whether nobody could apply its plan for a whole lease, so that no agent of before is on its way back."""
    task = candidate.task
    if task.reason_code != Code.NO_MATCHING_AGENT or task.reason_since is None:
        return False
    return candidate.capacity.now - task.reason_since > timedelta(seconds=settings.AGENT_LEASE_SECONDS)
