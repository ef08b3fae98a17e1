"""Why a task that is not final does not move: one of these, always, unless it runs."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

OFFER_GRACE_SECONDS = 15
"""After an offer that was not taken: time for one other agent to take it."""

RETRY_PLANS_AGAIN = "retry_plans_again"
"""In the evidence of `no_matching_agent`: whether a retry gives the confirmed plan up, for a new one."""


class Turn(StrEnum):
    """Whose turn it is."""

    MACHINE = "machine"
    PERSON = "person"
    CONFIG = "config"
    CLUSTER = "cluster"
    TIME = "time"


class Code(StrEnum):
    """Machine names of reasons, as in the contract."""

    DISPATCHING = "dispatching"
    OFFERED = "offered"
    WORKSPACE_LOCKED = "workspace_locked"
    QUEUED_BEHIND = "queued_behind"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    PLAN_STALE = "plan_stale"
    STATE_LOCKED = "state_locked"
    RETRY_BACKOFF = "retry_backoff"
    POOL_MISSING = "pool_missing"
    POOL_HAS_NO_CONFIG = "pool_has_no_config"
    POOL_AT_MAX = "pool_at_max"
    POOL_FROZEN = "pool_frozen"
    NO_CONNECTED_AGENT = "no_connected_agent"
    NO_MATCHING_AGENT = "no_matching_agent"
    POD_STARTING = "pod_starting"
    POD_UNSCHEDULABLE = "pod_unschedulable"
    POD_FAILED = "pod_failed"
    IMAGE_PULL_FAILED = "image_pull_failed"
    AGENT_NEVER_CONNECTED = "agent_never_connected"
    QUOTA_EXCEEDED = "quota_exceeded"
    CLUSTER_UNREACHABLE = "cluster_unreachable"
    CLUSTER_FORBIDDEN = "cluster_forbidden"
    NO_FREE_SLOT = "no_free_slot"
    OFFER_NOT_ACCEPTED = "offer_not_accepted"
    RESERVATION_LOST = "reservation_lost"
    DISPATCH_FAILED = "dispatch_failed"
    SCHEDULER_SILENT = "scheduler_silent"
    AGENT_LOST = "agent_lost"


@dataclass(frozen=True, kw_only=True)
class WaitReason:
    """Why a task waits. `grace_seconds`: how long that is in order, counted from when it began; None: without end.

    `deadline`: until when it is in order, where that moment is known; then it counts.
    """

    code: Code
    turn: Turn
    message: str
    remedy: str
    blocker: dict[str, str] | None = None  # {"kind", "id"}
    evidence: dict[str, Any] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    grace_seconds: int | None = None
    deadline: datetime | None = None
    check_seconds: int = 2  # the sweep's period: when it is looked at again

    def stored(self) -> dict[str, Any]:
        """Return the reason as kept in the task's row."""
        return {key: _as_json(value) for key, value in asdict(self).items() if key != "deadline"}


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def shown(
    stored: dict[str, Any], *, since: datetime, next_check_at: datetime, deadline: datetime | None
) -> dict[str, Any]:
    """Return a stored reason in the contract's shape."""
    kept = {name: stored[name] for name in ("code", "turn", "message", "remedy", "blocker", "evidence", "actions")}
    return {**kept, "since": since, "next_check_at": next_check_at, "deadline": deadline}


def next_check(stored: dict[str, Any], written: datetime, last_look: datetime | None) -> datetime:
    """Return when the task is looked at again. `written`: as its row says, from when the reason was last news."""
    if last_look is None:
        return written
    return max(written, last_look + timedelta(seconds=stored["check_seconds"]))


def unwatched(before: dict[str, Any], last_look: datetime | None) -> dict[str, Any]:
    """Return what is shown in place of a reason, in the contract's shape, that nobody has looked at for too long."""
    heard = f"since {last_look:%Y-%m-%d %H:%M:%S} UTC" if last_look else "at all"
    kept = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in before.items()}
    return {
        **before,
        "code": Code.SCHEDULER_SILENT.value,
        "turn": Turn.MACHINE.value,
        "message": f"No sweep has looked at it {heard}, so nothing moves it on. Before that: {before['message']}",
        "remedy": "An operator starts a worker with manage.py qcluster, or everything with manage.py up, and reads the "
        f"log of the one that stopped. Before that: {before['remedy']}",
        "since": last_look or before["since"],
        "blocker": {"kind": "job", "id": "sweep"},
        "evidence": {"before": kept, "last_sweep_at": last_look.isoformat() if last_look else None},
    }


def dispatching() -> WaitReason:
    """Only just runnable; the dispatcher looks at it in this very moment."""
    return WaitReason(
        code=Code.DISPATCHING,
        turn=Turn.MACHINE,
        message="It can run, and the dispatcher is looking for a slot right now.",
        remedy="Nothing to do. If the dispatcher was interrupted, the sweep looks again within seconds.",
        actions=("cancel",),
        grace_seconds=10,
    )


def offered(agent_name: str, slot: int, accept_seconds: float, before: dict[str, Any] | None = None) -> WaitReason:
    """An agent has been asked. `before`: the reason so far; one that says that offers were not taken stays."""
    asked = _asked(agent_name, slot, accept_seconds)
    if before is None or before["code"] != Code.OFFER_NOT_ACCEPTED:
        return asked
    message = f"{asked.message} Before that: {before['message']}"
    kept = {"remedy": before["remedy"], "evidence": before["evidence"], "grace_seconds": OFFER_GRACE_SECONDS}
    return replace(asked, code=Code.OFFER_NOT_ACCEPTED, message=message, **kept)


def _asked(agent_name: str, slot: int, accept_seconds: float) -> WaitReason:
    return WaitReason(
        code=Code.OFFERED,
        turn=Turn.MACHINE,
        message=f"Slot {slot} of agent {agent_name} is held for it; the agent has {accept_seconds:.0f} s to accept.",
        remedy="Nothing to do. If the agent does not accept in time, another slot is sought.",
        blocker={"kind": "agent", "id": agent_name},
        actions=("cancel",),
        grace_seconds=int(accept_seconds) + 5,
    )


def queued_behind(task_id: int) -> WaitReason:
    """An earlier task of the workspace comes first."""
    return WaitReason(
        code=Code.QUEUED_BEHIND,
        turn=Turn.MACHINE,
        message=f"Task {task_id} of this workspace comes first.",
        remedy=f"It starts when task {task_id} ends. If that one waits for a person, see to it there.",
        blocker={"kind": "task", "id": str(task_id)},
        actions=("cancel",),
    )


def workspace_locked(locked_by: str, lock_reason: str, grace_seconds: int | None = None) -> WaitReason:
    """A person, or a task that needs attention, holds the workspace."""
    kind, _, task_id = locked_by.partition(":")
    held_by_task = kind == "task"
    why = f" ({lock_reason})" if lock_reason else ""
    return WaitReason(
        code=Code.WORKSPACE_LOCKED,
        turn=Turn.PERSON,
        message=f"The workspace is locked by {locked_by}{why}.",
        remedy=f"Mark task {task_id} as failed, or retry it." if held_by_task else "Unlock it; it goes on at once.",
        blocker={"kind": "task", "id": task_id} if held_by_task else {"kind": "workspace_lock", "id": locked_by},
        actions=("cancel",) if held_by_task else ("unlock", "cancel"),
        grace_seconds=grace_seconds,
    )


def awaiting_confirmation(changes: str, *, is_first: bool) -> WaitReason:
    """A person has to read the plan. `is_first`: no plan of the task was shown to anybody before this one."""
    what = (
        f"The plan is made ({changes})."
        if is_first
        else f"A new plan is made ({changes}), as nothing could apply the one before any more; no earlier confirmation "
        "counts for it."
    )
    return WaitReason(
        code=Code.AWAITING_CONFIRMATION,
        turn=Turn.PERSON,
        message=f"{what} A person has to read and confirm it.",
        remedy="Read the plan, then confirm or discard it.",
        actions=("confirm-apply", "discard", "cancel"),
        check_seconds=60,
    )


def plan_stale(evidence: dict[str, Any]) -> WaitReason:
    """The state is not the one that the plan was made for."""
    return WaitReason(
        code=Code.PLAN_STALE,
        turn=Turn.PERSON,
        message="The state has changed since the plan was made, so this plan can no longer be applied.",
        remedy="Make a new plan (retry) and confirm that one, or discard.",
        evidence=evidence,
        actions=("retry", "discard", "cancel"),
        check_seconds=60,
    )


def retry_backoff(attempt: int, most: int, cause: str, seconds: int) -> WaitReason:
    """An attempt broke off; the next one waits a little."""
    return WaitReason(
        code=Code.RETRY_BACKOFF,
        turn=Turn.TIME,
        message=f"Attempt {attempt} of {most} broke off: {cause} The next one starts in {seconds} s.",
        remedy="Nothing to do; press retry to start it now.",
        evidence={"attempt": attempt, "most": most, "cause": cause, "seconds": seconds},
        actions=("retry", "cancel"),
        grace_seconds=seconds + 10,
    )


def offer_not_accepted(cause: str) -> WaitReason:
    """An agent was asked and did not take it."""
    return WaitReason(
        code=Code.OFFER_NOT_ACCEPTED,
        turn=Turn.MACHINE,
        message=f"A slot was offered and not taken: {cause}",
        remedy="Nothing to do: another slot is sought. If it repeats, look at that agent's log.",
        evidence={"cause": cause},
        actions=("retry", "cancel"),
        grace_seconds=OFFER_GRACE_SECONDS,
    )


def reservation_lost(cause: str, *, is_confirmed: bool) -> WaitReason:
    """The slot that was kept warm for the apply is gone; the plan is stored."""
    what_moves = (
        "It is applied on another slot." if is_confirmed else "Read and confirm it: another slot will apply it."
    )
    return WaitReason(
        code=Code.RESERVATION_LOST,
        turn=Turn.MACHINE if is_confirmed else Turn.PERSON,
        message=f"The plan is stored, but the slot kept for its apply is gone: {cause}",
        remedy=what_moves,
        evidence={"cause": cause},
        actions=("retry", "cancel") if is_confirmed else ("confirm-apply", "discard", "cancel"),
        grace_seconds=15 if is_confirmed else None,
        check_seconds=2 if is_confirmed else 60,
    )


def dispatch_failed(error: str) -> WaitReason:
    """Our own dispatching broke."""
    return WaitReason(
        code=Code.DISPATCH_FAILED,
        turn=Turn.MACHINE,
        message=f"Looking for a slot failed in the server: {error}.",
        remedy="It is tried again within seconds. If this stays, an operator should read the server's log.",
        evidence={"error": error},
        actions=("retry", "cancel"),
        grace_seconds=15,
    )


def agent_lost(agent_name: str, last_seen: datetime | None, cause: str) -> WaitReason:
    """Nobody knows how an apply ended."""
    heard = f", last heard of at {last_seen:%Y-%m-%d %H:%M:%S} UTC," if last_seen else ""
    return WaitReason(
        code=Code.AGENT_LOST,
        turn=Turn.PERSON,
        message=f"{cause} Agent {agent_name}{heard} was in the middle of the apply: the state may be half written.",
        remedy="Read the log and look at the resources. Then mark it as failed, or retry with a new plan. "
        "It is never started again by itself; if the agent comes back with a result, that is taken.",
        blocker={"kind": "agent", "id": agent_name},
        evidence={"agent": agent_name, "last_seen_at": last_seen.isoformat() if last_seen else None},
        actions=("mark-failed", "retry"),
        check_seconds=60,
    )
