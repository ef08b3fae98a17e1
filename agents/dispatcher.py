"""Where a task runs: the runnable tasks of a pool are brought to its free slots, or told why not.

Any process may do it at any time. Passes over one pool follow one another (an advisory lock of the database, held for
one transaction), so each sees what the one before it decided, and an answer to a person is never a guess. A lost
process loses its lock with its connection; `lock_timeout` bounds the wait for a stalled one. A task whose row somebody
else holds is passed over: that one's news brings the next pass, or the next sweep where it changed nothing.
"""

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, IntegrityError, connection, transaction

from agents import capacity as capacities
from agents import gates
from agents.candidates import Candidate
from iacplatform.base import actors, wakeups
from pools.models import Pool
from tasks import attempts, dispatching, moves, reasons, recovery
from tasks.errors import LostRace
from tasks.models import Task
from tasks.reasons import Code, Turn, WaitReason
from tasks.states import Lease, Status

FAST_PATH_TASKS = 200
"""Most tasks that one pass of the fast path looks at; the sweep looks at all."""

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
    told: list[tuple[Task, WaitReason]] = field(default_factory=list)  # who waits, and why

    def log_fields(self) -> dict[str, object]:
        """Return the facts of the pass for its one log line."""
        why = ",".join(f"{code}:{count}" for code, count in self.reasons.items()) or "-"
        return {"pool": self.pool_id, "cause": self.cause, "seen": self.seen, "offers": self.offers, "reasons": why}


def dispatch(
    pool_id: str | None, *, cause: str, task_id: int | None = None, most: int | None = FAST_PATH_TASKS
) -> Pass:
    """Offer slots to the pool's runnable tasks in order, and write on the others why they wait.

    `task_id`: a task that is looked at even when `most` others come before it. Raises `DatabaseError`.
    """
    done = Pass(pool_id, cause)
    with transaction.atomic():
        now = _one_pass_at_a_time(pool_id)
        if tasks := _runnable(pool_id, most, task_id):
            pool = Pool.objects.filter(pk=pool_id).first() if pool_id else None
            # Who asks by hand has looked at the agent: that it was deaf before is no answer to them.
            capacity = capacities.look(pool, now, waits_for_pauses=cause != dispatching.ASKED)
            for task in tasks:
                _look_at(Candidate(task, capacity), done)
            moves.explain_waits(done.told)
    if done.seen:
        log.info("Dispatched.", extra=done.log_fields())
    return done


def try_dispatch(
    pool_id: str | None, *, cause: str, task_id: int | None = None, most: int | None = FAST_PATH_TASKS
) -> Pass | None:
    """Dispatch; a failure is logged, and shown (`dispatch_failed`) on the task that asked, or on all that wait."""
    try:
        return dispatch(pool_id, cause=cause, task_id=task_id, most=most)
    except Exception as error:
        log.exception("Dispatching failed.", extra={"pool": pool_id, "cause": cause, "task": task_id})
        waiting = Task.objects.runnable()
        for task in waiting.filter(id=task_id) if task_id else waiting.for_pool(pool_id).in_order()[:most]:
            moves.explain_wait(task, reasons.dispatch_failed(type(error).__name__))
        return None


def _one_pass_at_a_time(pool_id: str | None) -> datetime:
    """Wait for one's turn at the pool; return the database's time then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)), iac_now()", [f"dispatch:{pool_id}"])
        now: datetime = cursor.fetchone()[1]
        return now


def _runnable(pool_id: str | None, most: int | None, task_id: int | None) -> list[Task]:
    waiting = Task.objects.select_related("workspace__state_lock").for_pool(pool_id).runnable().in_order()
    waiting = waiting.select_for_update(of=("self",), skip_locked=True, no_key=True)
    batch = list(waiting[:most])
    saw_all = most is None or len(batch) < most
    if saw_all or task_id is None or any(task.pk == task_id for task in batch):
        return batch
    return [*batch, *waiting.filter(id=task_id)]


def _look_at(candidate: Candidate, done: Pass) -> None:
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
    reason = gates.first_obstacle(candidate)
    if reason is not None and _wants_room(candidate, reason) and _reclaim(candidate):
        reason = gates.first_obstacle(candidate)
    if reason is None:
        _offer(candidate, done)
    return reason


def _wants_room(candidate: Candidate, reason: WaitReason) -> bool:
    return reason.code in {Code.NO_FREE_SLOT, Code.OFFER_NOT_ACCEPTED} and not candidate.awaits_kept_slot


def _offer(candidate: Candidate, done: Pass) -> None:
    task, capacity = candidate.task, candidate.capacity
    room, slot = candidate.choose()
    kept_on, kept, was_due = task.agent_id, task.slot, not _is_timed(task)
    try:
        attempts.offer(task, room.place(slot))
    except (LostRace, IntegrityError) as error:
        # A person's move, or a slot that filled in this instant, must not undo the rest of the pass.
        log.info("An offer came too late.", extra={"error": type(error).__name__, **task.log_fields()})
        return
    wakeups.wake(f"agent.{room.agent.pk}")
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
    held = capacity.holding({room.agent.pk for room in candidate.able if room.pause is None})
    return any(_give_up(holder, candidate) for holder in held)


def _give_up(holder: Task, candidate: Candidate) -> bool:
    """Free a slot that is kept for a plan which nobody has confirmed; return whether it was ours to free."""
    capacity = candidate.capacity
    unconfirmed = Task.objects.filter(pk=holder.pk, status=Status.APPLY_PENDING, lease=Lease.RESERVED)
    ours = unconfirmed.select_related("workspace").select_for_update(of=("self",), skip_locked=True, no_key=True)
    kept = ours.first()
    if kept is None:
        return False
    capacity.reservations.remove(holder)
    capacity.release(kept.agent_id, kept.slot)
    cause = f"Its slot was given to task {candidate.task.pk}, which found no other."
    recovery.end_reservation(kept, cause=cause, actor=actors.DISPATCHER)
    return True
