"""The sentences for what is missing around a task: pool, agents, slots, the state."""

from datetime import datetime

from agents.candidates import STICKY_SECONDS
from agents.capacity import Capacity
from pools import freeze
from pools.models import Pool, PoolType
from tasks.models import Plan, Task
from tasks.reasons import Code, Turn, WaitReason
from workspaces.models import StateLock, Workspace

CONFIG_GRACE_SECONDS = 60
"""How long a task may meet a missing piece of configuration before it counts as stuck."""

LOCK_GRACE_SECONDS = 24 * 3600
"""How long a runnable task, a confirmed apply say, may be held back by a person's lock before it counts as stuck."""

CAPACITY_GRACE_SECONDS = 4 * 3600
"""A pool may be busy for as long as an apply may take by default."""


def state_locked(held: StateLock) -> WaitReason:
    """Another run holds the state."""
    return WaitReason(
        code=Code.STATE_LOCKED,
        turn=Turn.PERSON,
        message=f"The state is locked by {held.holder} since {held.created_at:%Y-%m-%d %H:%M:%S} UTC.",
        remedy="It goes on when that run lets go. If that run is dead, release the state lock.",
        blocker={"kind": "state_lock", "id": held.lock_id},
        evidence={"holder": held.holder, "operation": str(held.info.get("Operation", ""))},
        actions=("release-lock", "cancel"),
        grace_seconds=CAPACITY_GRACE_SECONDS,
    )


def backing_off(task: Task, now: datetime) -> WaitReason:
    """The reason of the back-off, as it was given when it began."""
    kept = task.reason or {}
    if kept.get("code") == Code.RETRY_BACKOFF:
        return WaitReason(**{**kept, "code": Code.RETRY_BACKOFF, "turn": Turn.TIME, "actions": tuple(kept["actions"])})
    seconds = int((task.not_before - now).total_seconds()) + 1 if task.not_before else 0
    return WaitReason(
        code=Code.RETRY_BACKOFF,
        turn=Turn.TIME,
        message="An attempt broke off; the next one starts after a pause.",
        remedy="Nothing to do; press retry to start it now.",
        actions=("retry", "cancel"),
        grace_seconds=seconds + 10,
    )


def pool_missing(workspace: Workspace) -> WaitReason:
    """Nobody said where to run it."""
    return WaitReason(
        code=Code.POOL_MISSING,
        turn=Turn.CONFIG,
        message=f"Workspace {workspace.name} runs in mode {workspace.execution_mode} and names no pool.",
        remedy="Choose a pool in the workspace's settings; the task goes on at once.",
        blocker={"kind": "workspace", "id": workspace.pk},
        actions=("cancel",),
        grace_seconds=CONFIG_GRACE_SECONDS,
    )


def pool_has_no_config(pool: Pool) -> WaitReason:
    """A pool of pods without a cluster."""
    return WaitReason(
        code=Code.POOL_HAS_NO_CONFIG,
        turn=Turn.CONFIG,
        message=f"Pool {pool.name} starts pods, but has no K8s config.",
        remedy="Give the pool a K8s config.",
        blocker={"kind": "pool", "id": pool.pk},
        actions=("cancel",),
        grace_seconds=CONFIG_GRACE_SECONDS,
    )


def pool_at_max(pool: Pool) -> WaitReason:
    """The pool may have no pods at all."""
    return WaitReason(
        code=Code.POOL_AT_MAX,
        turn=Turn.CONFIG,
        message=f"Pool {pool.name} may have at most {pool.max_replicas} pods.",
        remedy="Raise the pool's maximum.",
        blocker={"kind": "pool", "id": pool.pk},
        evidence={"max_replicas": pool.max_replicas},
        actions=("cancel",),
        grace_seconds=CONFIG_GRACE_SECONDS,
    )


def pool_frozen(pool: Pool, now: datetime) -> WaitReason:
    """One of the pool's freeze windows is open."""
    until = freeze.frozen_until(pool.freeze_windows, now)
    end = f"{until:%Y-%m-%d %H:%M} UTC" if until else "the end of the window"
    return WaitReason(
        code=Code.POOL_FROZEN,
        turn=Turn.TIME,
        message=f"Pool {pool.name} is in a freeze window until {end}: nothing new starts there.",
        remedy="It goes on when the window ends.",
        blocker={"kind": "pool", "id": pool.pk},
        evidence={"until": until.isoformat() if until else None, "freeze_windows": pool.freeze_windows},
        actions=("cancel",),
        grace_seconds=7 * 86400,
    )


def no_connected_agent(pool: Pool, leaving: int, *, tokenless: bool) -> WaitReason:
    """The pool is empty, or everybody there is about to leave."""
    static = pool.pool_type == PoolType.STATIC
    but = f" but {leaving}, which take nothing new because they are leaving" if leaving else ""
    start = f"Start an agent with a token of pool {pool.name}, or look at why its agents are away."
    make = f"Make a token of pool {pool.name} and start an agent with it."
    return WaitReason(
        code=Code.NO_CONNECTED_AGENT,
        turn=Turn.PERSON if static else Turn.MACHINE,
        message=f"No agent of pool {pool.name} is connected{but}"
        + (", and the pool has no valid token that would let one in." if tokenless else "."),
        remedy=f"{make if tokenless else start} The task goes on as soon as one connects.",
        blocker={"kind": "pool", "id": pool.pk},
        evidence={"agents": 0, "leaving": leaving, "valid_tokens": not tokenless},
        actions=("retry", "cancel"),
        grace_seconds=CONFIG_GRACE_SECONDS,
    )


def no_matching_agent(plan: Plan | None, workspace: Workspace, capacity: Capacity) -> WaitReason:
    """Agents are there, and none can do it."""
    needed = (
        f"{plan.engine} {plan.version} on {plan.os}/{plan.arch}, which made the plan"
        if plan is not None
        else f"{workspace.engine} {workspace.terraform_version}".strip()
    )
    have = {
        room.agent.name: [f"{engine['name']} {engine['version']}" for engine in room.agent.engines]
        for room in capacity.rooms
    }
    return WaitReason(
        code=Code.NO_MATCHING_AGENT,
        turn=Turn.CONFIG,
        message=f"None of the {len(have)} connected agents has {needed}.",
        remedy="Connect an agent that has it; or cancel this task and start a new one on what is there.",
        blocker={"kind": "pool", "id": capacity.pool.pk if capacity.pool else ""},
        evidence={"needed": needed, "agents": have},
        actions=("retry", "cancel"),
        grace_seconds=CONFIG_GRACE_SECONDS,
    )


def kept_slot_away(task: Task) -> WaitReason:
    """The agent that keeps the slot lost its connection a moment ago."""
    return WaitReason(
        code=Code.NO_FREE_SLOT,
        turn=Turn.TIME,
        message=f"Slot {task.slot} is kept for it on an agent that is reconnecting.",
        remedy=f"It goes to any other slot when that agent is not back {STICKY_SECONDS} s after the confirmation.",
        blocker={"kind": "agent", "id": task.agent_id},
        actions=("retry", "cancel"),
        grace_seconds=STICKY_SECONDS + 10,
    )


def no_free_slot(capacity: Capacity) -> WaitReason:
    """Everybody who could do it is busy."""
    pool = capacity.pool
    numbers = capacity.summary()
    return WaitReason(
        code=Code.NO_FREE_SLOT,
        turn=Turn.MACHINE,
        message=f"All {numbers['slots']} slots of the {numbers['agents']} connected agents are taken.",
        remedy="It starts when a slot becomes free. Connect another agent to the pool to start it sooner.",
        blocker={"kind": "pool", "id": pool.pk if pool else ""},
        evidence=numbers,
        actions=("cancel",),
        grace_seconds=CAPACITY_GRACE_SECONDS,
    )
