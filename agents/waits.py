"""The sentences for what is missing around a task: pool, agents, slots, the state."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings

from agents.candidates import STICKY_SECONDS
from agents.capacity import Capacity, Room
from pools.models import Pool, PoolType
from tasks.models import Plan, Task
from tasks.reasons import OFFER_GRACE_SECONDS, RETRY_PLANS_AGAIN, Code, Turn, WaitReason
from workspaces.models import StateLock, Workspace

CONFIG_GRACE_SECONDS = 60
"""How long a task may meet a missing piece of configuration before it counts as stuck."""

LOCK_GRACE_SECONDS = 24 * 3600
"""A confirmed apply that a person's lock holds back waits for that person, and is not stuck. After a whole day the lock
has been forgotten."""

CAPACITY_GRACE_SECONDS = 4 * 3600
"""Slots that are taken are given back by then: an apply has as long, by default. One that is free is not waited for."""

FREEZE_GRACE_SECONDS = 60
"""After the end of the window, which is known."""

_PLAN_AGAIN = "Or press retry: a new plan is made with what is there, and needs a new confirmation."
_PLAN_AGAIN_LATER = (
    "Who was cut off a moment ago comes back by itself. When none has come for {seconds} s, retry makes a new plan "
    "with what is there; until then it only looks again, and the confirmation stays."
)

_NAMED = 3
"""So many agents are named in a sentence; the evidence has all."""


def state_locked(held: StateLock, life: str) -> WaitReason:
    """Another run holds the state. `life`: why it may still be at work and what to do; empty: it is gone."""
    since = f"{held.created_at:%Y-%m-%d %H:%M:%S} UTC"
    gone = ", whose run is over" if not life else ""
    return WaitReason(
        code=Code.STATE_LOCKED,
        turn=Turn.PERSON,
        message=f"The state is locked by {held.holder}{gone} since {since}.",
        remedy=life or "Look at the resources, then release the state lock; it goes on at once.",
        blocker={"kind": "state_lock", "id": held.lock_id},
        evidence={
            "holder": held.holder,
            "operation": str(held.info.get("Operation", "")),
            "holder_is_gone": not life,
        },
        actions=("cancel",) if life else ("release-lock", "cancel"),
        grace_seconds=CAPACITY_GRACE_SECONDS if life else CONFIG_GRACE_SECONDS,
    )


def nobody_accepts(deaf: Collection[Room]) -> WaitReason:
    """Agents that could do it are connected, and take nothing. `deaf`: those, not empty."""
    pauses = {room.agent.name: room.pause for room in deaf if room.pause is not None}
    lapses, until = max(pause.lapses for pause in pauses.values()), min(pause.until for pause in pauses.values())
    names = " and ".join(sorted(pauses))
    return WaitReason(
        code=Code.OFFER_NOT_ACCEPTED,
        turn=Turn.MACHINE,
        message=f"{_did_not_take(sorted(pauses), lapses)}; no other agent that fits has a free slot.",
        remedy=f"Look at the log of {names} and restart it: who connects is asked at once. It is offered there again "
        f"after {until:%H:%M:%S} UTC, or when you press retry, and at any time to another agent that has a free slot.",
        blocker={"kind": "agent", "id": next(iter(sorted(room.agent.agent_id for room in deaf)))},
        evidence={
            "agents": {name: pause.lapses for name, pause in sorted(pauses.items())},
            "times": lapses,
            "asked_again_at": until.isoformat(),
        },
        actions=("retry", "cancel"),
        grace_seconds=OFFER_GRACE_SECONDS,
    )


def _did_not_take(names: list[str], lapses: int) -> str:
    who = f"Agents {' and '.join(names)} are" if len(names) > 1 else f"Agent {names[0]} is"
    return f"{who} connected and did not take the last {f'{lapses} offers' if lapses > 1 else 'offer'}"


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
        remedy=f"Choose a K8s config in the settings of pool {pool.name}; a pod is asked for at once.",
        blocker={"kind": "pool", "id": pool.pk},
        actions=("cancel",),
        grace_seconds=CONFIG_GRACE_SECONDS,
    )


def pool_frozen(pool: Pool, now: datetime) -> WaitReason:
    """One of the pool's freeze windows is open."""
    until = pool.frozen_until(now)
    end = f"{until:%Y-%m-%d %H:%M} UTC" if until else "the end of the window"
    return WaitReason(
        code=Code.POOL_FROZEN,
        turn=Turn.TIME,
        message=f"Pool {pool.name} is in a freeze window until {end}: nothing new starts there.",
        remedy="It goes on when the window ends.",
        blocker={"kind": "pool", "id": pool.pk},
        evidence={"until": until.isoformat() if until else None, "freeze_windows": pool.freeze_windows},
        actions=("cancel",),
        deadline=until + timedelta(seconds=FREEZE_GRACE_SECONDS) if until else None,
        grace_seconds=FREEZE_GRACE_SECONDS,
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


def no_matching_agent(plan: Plan, capacity: Capacity, *, is_out_of_reach: bool) -> WaitReason:
    """Agents are there, and none can apply this plan. `is_out_of_reach`: so long that a retry gives the plan up."""
    needed, platform = f"{plan.engine} {plan.version}", f"{plan.os}/{plan.arch}"
    rooms = sorted(capacity.rooms, key=lambda room: room.agent.name)
    return WaitReason(
        code=Code.NO_MATCHING_AGENT,
        turn=Turn.CONFIG,
        message=f"Its plan was made by {needed} on {platform}, and nothing else can apply it. {_lacking(rooms)}",
        remedy=f"Connect an agent of {platform} that has {needed} or downloads it; the plan is applied at once. "
        + (_PLAN_AGAIN if is_out_of_reach else _PLAN_AGAIN_LATER.format(seconds=settings.AGENT_LEASE_SECONDS)),
        blocker={"kind": "pool", "id": capacity.pool.pk if capacity.pool else ""},
        evidence={
            "needed": f"{needed} on {platform}",
            "agents": {room.agent.name: _engines(room) for room in rooms},
            RETRY_PLANS_AGAIN: is_out_of_reach,
        },
        actions=("retry", "cancel"),
        grace_seconds=CONFIG_GRACE_SECONDS,
    )


def _lacking(rooms: list[Room]) -> str:
    """Say that these agents, of which there is at least one, are not what is needed, and what they have."""
    none = f"None of the {len(rooms)} connected agents has or downloads that"
    lacks = none if len(rooms) > 1 else "The one connected agent neither has nor downloads that"
    more = f"; and {len(rooms) - _NAMED} more" if len(rooms) > _NAMED else ""
    return f"{lacks}: {'; '.join(map(_equipment, rooms[:_NAMED]))}{more}."


def _equipment(room: Room) -> str:
    agent = room.agent
    fetches = f", downloads {' and '.join(agent.fetches)}" if agent.fetches else ""
    return f"{agent.name} ({agent.os}/{agent.arch}) has {', '.join(_engines(room)) or 'no engine'}{fetches}"


def _engines(room: Room) -> list[str]:
    return [f"{engine['name']} {engine['version']}" for engine in room.agent.engines]


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
        message=f"Every slot of the connected agents is taken ({numbers['slots']} in all).",
        remedy="It starts when a slot becomes free. Connect another agent to the pool to start it sooner.",
        blocker={"kind": "pool", "id": pool.pk if pool else ""},
        evidence=numbers,
        actions=("cancel",),
        grace_seconds=CAPACITY_GRACE_SECONDS,
    )
