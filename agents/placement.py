"""Which slot a task gets, or why it gets none: one look at one task, within a pass over its pool."""

import logging
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field

from django.db import DatabaseError, IntegrityError, transaction

from agents import gates, offers
from agents.candidates import Candidate
from agents.capacity import Capacity
from agents.holds import Hold
from iacplatform.base import actors
from tasks import attempts, reasons, recovery
from tasks.errors import LostRace
from tasks.models import Task
from tasks.reasons import Turn, WaitReason
from tasks.states import Lease, Status

log = logging.getLogger(__name__)


@dataclass
class Pass:
    """What one pass over a pool did. `overdue`: offers that some news should have brought about earlier."""

    pool_id: str | None
    cause: str
    seen: int = 0
    offers: int = 0
    overdue: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    told: list[tuple[Task, WaitReason]] = field(default_factory=list)  # who of the batch waits, and why
    left: Capacity | None = None  # what the batches before have left over
    is_careful: bool = False  # whether an offer that the database refuses is undone by itself

    def part(self, *, is_careful: bool) -> "Pass":
        """Return the next batch's part of this pass, with nothing done yet."""
        return Pass(self.pool_id, self.cause, left=self.left, is_careful=is_careful)

    def add(self, part: "Pass") -> None:
        """Count what was done in a part of this pass."""
        self.seen += part.seen
        self.offers += part.offers
        self.overdue += part.overdue
        self.reasons += part.reasons
        self.left = part.left

    @property
    def too_late(self) -> tuple[type[Exception], ...]:
        """What an offer raises that somebody forestalled, and that concerns no other task of the pass."""
        return (LostRace, IntegrityError) if self.is_careful else (LostRace,)

    def log_fields(self) -> dict[str, object]:
        """Return the facts of the pass for its one log line."""
        why = ",".join(f"{code}:{count}" for code, count in self.reasons.items()) or "-"
        return {"pool": self.pool_id, "cause": self.cause, "seen": self.seen, "offers": self.offers, "reasons": why}


def place(candidate: Candidate, done: Pass) -> None:
    """Decide on a task. What is wrong with one is written on it, and must not keep the others from their slots."""
    done.seen += 1
    try:
        reason = _decide(candidate, done)
    except DatabaseError:
        raise
    except Exception as error:
        log.exception("A task could not be dispatched.", extra=candidate.task.log_fields())
        reason = reasons.dispatch_failed(type(error).__name__)
    if reason is not None:
        done.reasons[reason.code] += 1
        done.told.append((candidate.task, reason))


def _decide(candidate: Candidate, done: Pass) -> WaitReason | None:
    """Return why the task waits; None when it does not: it was offered, or ended."""
    if candidate.needs_new_plan:
        cause = "The state has changed since the confirmed plan was made."
        recovery.plan_again(candidate.task, cause=cause, actor=actors.DISPATCHER)
        candidate = Candidate(candidate.task, candidate.capacity)
    if candidate.task.is_final:
        return None
    gate, reason = gates.first_closed(candidate)
    if gate is gates.free_slot and not candidate.awaits_kept_slot and _reclaim(candidate):
        _, reason = gates.first_closed(candidate)
    if reason is None:
        _offer(candidate, done)
    return reason


def _offer(candidate: Candidate, done: Pass) -> None:
    task, capacity = candidate.task, candidate.capacity
    room, slot = candidate.choose()
    kept_on, kept, was_due = task.agent_id, task.slot, not _is_timed(task)
    try:
        with transaction.atomic() if done.is_careful else nullcontext():
            attempt = attempts.offer(task, room.place(slot))
    except done.too_late as error:
        # A person's move, or a slot that filled in this instant, must not undo the rest of the pass.
        log.info("An offer came too late.", extra={"error": type(error).__name__, **task.log_fields()})
        return
    offers.tell(attempt)
    capacity.release(kept_on, kept)
    room.free.discard(slot)
    done.offers += 1
    done.overdue += was_due


def _is_timed(task: Task) -> bool:
    """Whether it waited for a moment to come, of which there is no news: the end of a back-off, of an agent's pause."""
    reason = task.reason or {}
    return reason.get("turn") == Turn.TIME or "asked_again_at" in reason.get("evidence", {})


def _reclaim(candidate: Candidate) -> bool:
    """Give up the oldest reservation on an agent that could do this task; return whether there was one."""
    capacity = candidate.capacity
    if capacity.can_grow:
        return False
    held = capacity.holding({room.agent.agent_id for room in candidate.able if room.is_open})
    return any(_give_up(holder, candidate) for holder in held)


def _give_up(holder: Hold, candidate: Candidate) -> bool:
    """Free a slot that is kept for a plan which nobody has confirmed; return whether it was ours to free."""
    capacity = candidate.capacity
    unconfirmed = Task.objects.filter(pk=holder.task, status=Status.APPLY_PENDING, lease=Lease.RESERVED)
    ours = unconfirmed.select_related("workspace").select_for_update(of=("self",), skip_locked=True, no_key=True)
    kept = ours.first()
    if kept is None:
        return False
    capacity.reservations.remove(holder)
    capacity.release(kept.agent_id, kept.slot)
    cause = f"Its slot was given to task {candidate.task.pk}, which found no other."
    recovery.end_reservation(kept, cause=cause, actor=actors.DISPATCHER)
    return True
