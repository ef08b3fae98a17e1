"""Every state of a task and every arrow between them, as in `docs/task-lifecycle.md`. What is not here is refused."""

from django.db import models


class TaskType(models.TextChoices):
    PLAN = "plan"
    """Shows what would change; needs neither queue nor lock."""
    PLAN_AND_APPLY = "plan_and_apply"
    DESTROY = "destroy"


class Phase(models.TextChoices):
    PLAN = "plan"
    APPLY = "apply"


class Status(models.TextChoices):
    WAITING = "waiting"
    """An earlier task of the workspace is not final, or a person locked it."""
    PENDING = "pending"
    """Only capacity is missing for its plan."""
    RUNNING = "running"
    """One agent holds its lease and reports on it."""
    APPLY_PENDING = "apply_pending", "awaits confirmation"
    """A person must confirm the plan."""
    CONFIRMED = "confirmed"
    """Confirmed; only capacity is missing for its apply."""
    NEEDS_ATTENTION = "needs_attention", "needs attention"
    """An apply may have been cut short. A person decides, or the lost agent's own late result."""
    SUCCESS = "success"
    """The plan is made and nothing is to be applied."""
    APPLIED = "applied"
    DISCARDED = "discarded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({Status.SUCCESS, Status.APPLIED, Status.DISCARDED, Status.FAILED, Status.CANCELLED})
LIVE = frozenset(Status) - FINAL
RUNNABLE = frozenset({Status.PENDING, Status.CONFIRMED})
"""Only capacity is missing."""
ACTIVE = LIVE - {Status.WAITING}
"""At most one task that changes things is here, in each workspace."""
CHANGING = frozenset({TaskType.PLAN_AND_APPLY, TaskType.DESTROY})


class Lease(models.TextChoices):
    NONE = "", "none"
    OFFERED = "offered"
    """The slot is held until the agent accepts."""
    RUNNING = "running"
    RESERVED = "reserved"
    """The slot is kept warm for the apply; never the only copy of the plan."""


class Stage(models.TextChoices):
    """The finer word beside the status."""

    OFFERED = "offered"
    PREPARING = "preparing"
    INITIALIZING = "initializing"
    PLANNING = "planning"
    APPLYING = "applying"
    SAVING = "saving"
    CANCELLING = "cancelling"


class Position(models.TextChoices):
    """Where a task stands: its status, with the two phases of `running` told apart. Labels follow "the task is"."""

    WAITING = "waiting", "waiting"
    PENDING = "pending", "pending"
    PLANNING = "running plan", "running its plan"
    APPLY_PENDING = "apply_pending", "awaiting confirmation"
    CONFIRMED = "confirmed", "confirmed"
    APPLYING = "running apply", "running its apply"
    NEEDS_ATTENTION = "needs_attention", "in need of attention"
    ENDED = "final", "final"


class Event(models.TextChoices):
    """What can happen to a task."""

    CREATED = "created"
    UNBLOCKED = "unblocked"
    """It is first in its workspace's queue, and the workspace is not locked."""
    WORKSPACE_LOCKED = "workspace_locked"
    """A person locked the workspace."""
    OFFERED = "offered"
    ACCEPTED = "accepted"
    LAPSED = "offer_lapsed"
    """Not accepted in time, or the agent went away before it accepted."""
    PLANNED = "planned"
    UNCHANGED = "unchanged"
    """The plan is made and there is nothing to apply."""
    AUTO_APPLY = "auto_apply"
    """The plan is made and was confirmed beforehand by its creator."""
    APPLIED = "applied"
    REFUSED = "engine_refused"
    """Terraform said no, or ran out of time."""
    INTERRUPTED = "interrupted"
    """The agent was lost, or the engine killed, before anything could be applied."""
    LOST = "lost"
    """The agent was lost, or the engine killed, after the permit to apply."""
    CONFIRM = "confirm"
    DISCARD = "discard"
    STALE = "stale"
    """The state moved after the plan was made."""
    REPLAN = "replan"
    """A person asks for a new plan because this one is stale, or no agent can apply it."""
    RESERVATION_ENDED = "reservation_ended"
    CANCEL = "cancel"
    CANCELLED = "cancelled"
    """The cancelled phase has ended."""
    FORCE_CANCEL = "force_cancel"
    """A person does not wait for the cancelled phase to end."""
    MARK_FAILED = "mark_failed"
    LOCK_RELEASED = "state_lock_released"
    """A person let go of an orphaned state lock. It moves nothing by itself."""
    DISPATCH_FAILED = "dispatch_failed"
    """Dispatching itself failed, which moves nothing: a history must not forget it when the reason goes."""


_BACK_OFF_PLAN = frozenset({Status.PENDING, Status.FAILED})
_BACK_OFF_APPLY = frozenset({Status.CONFIRMED, Status.FAILED})


def _only(status: Status) -> frozenset[Status]:
    return frozenset({status})


MOVES: dict[tuple[Position, Event], frozenset[Status]] = {
    (Position.WAITING, Event.UNBLOCKED): _only(Status.PENDING),
    (Position.WAITING, Event.CANCEL): _only(Status.CANCELLED),
    (Position.PENDING, Event.OFFERED): _only(Status.PENDING),
    (Position.PENDING, Event.ACCEPTED): _only(Status.RUNNING),
    (Position.PENDING, Event.LAPSED): _only(Status.PENDING),
    (Position.PENDING, Event.WORKSPACE_LOCKED): _only(Status.WAITING),
    (Position.PENDING, Event.CANCEL): _only(Status.CANCELLED),
    (Position.PLANNING, Event.UNCHANGED): _only(Status.SUCCESS),
    (Position.PLANNING, Event.PLANNED): _only(Status.APPLY_PENDING),
    (Position.PLANNING, Event.AUTO_APPLY): _only(Status.CONFIRMED),
    (Position.PLANNING, Event.REFUSED): _only(Status.FAILED),
    (Position.PLANNING, Event.INTERRUPTED): _BACK_OFF_PLAN,
    (Position.PLANNING, Event.CANCEL): _only(Status.RUNNING),
    (Position.PLANNING, Event.CANCELLED): _only(Status.CANCELLED),
    (Position.PLANNING, Event.FORCE_CANCEL): _only(Status.CANCELLED),
    (Position.APPLY_PENDING, Event.CONFIRM): _only(Status.CONFIRMED),
    (Position.APPLY_PENDING, Event.DISCARD): _only(Status.DISCARDED),
    (Position.APPLY_PENDING, Event.CANCEL): _only(Status.CANCELLED),
    (Position.APPLY_PENDING, Event.REPLAN): _only(Status.PENDING),
    (Position.APPLY_PENDING, Event.RESERVATION_ENDED): _only(Status.APPLY_PENDING),
    (Position.CONFIRMED, Event.OFFERED): _only(Status.CONFIRMED),
    (Position.CONFIRMED, Event.ACCEPTED): _only(Status.RUNNING),
    (Position.CONFIRMED, Event.LAPSED): _only(Status.CONFIRMED),
    (Position.CONFIRMED, Event.STALE): _BACK_OFF_PLAN,
    (Position.CONFIRMED, Event.REPLAN): _only(Status.PENDING),
    (Position.CONFIRMED, Event.RESERVATION_ENDED): _only(Status.CONFIRMED),
    (Position.CONFIRMED, Event.CANCEL): _only(Status.CANCELLED),
    (Position.APPLYING, Event.APPLIED): _only(Status.APPLIED),
    (Position.APPLYING, Event.REFUSED): _only(Status.FAILED),
    (Position.APPLYING, Event.STALE): _BACK_OFF_PLAN,
    (Position.APPLYING, Event.INTERRUPTED): _BACK_OFF_APPLY,
    (Position.APPLYING, Event.LOST): _only(Status.NEEDS_ATTENTION),
    (Position.APPLYING, Event.CANCEL): _only(Status.RUNNING),
    (Position.APPLYING, Event.CANCELLED): _only(Status.CANCELLED),
    (Position.APPLYING, Event.FORCE_CANCEL): frozenset({Status.CANCELLED, Status.NEEDS_ATTENTION}),
    (Position.NEEDS_ATTENTION, Event.APPLIED): _only(Status.APPLIED),
    (Position.NEEDS_ATTENTION, Event.REFUSED): _only(Status.FAILED),
    (Position.NEEDS_ATTENTION, Event.MARK_FAILED): _only(Status.FAILED),
}


def position(status: str, phase: str) -> Position:
    """Return where a task of this status stands; `phase` tells the two kinds of running apart."""
    if status in FINAL:
        return Position.ENDED
    if status == Status.RUNNING:
        return Position.PLANNING if phase == Phase.PLAN else Position.APPLYING
    return Position(status)


def allowed(at: Position, event: Event) -> frozenset[Status]:
    """Return the statuses that `event` may lead to from `at`; empty: it is refused there."""
    return MOVES.get((at, event), frozenset())
