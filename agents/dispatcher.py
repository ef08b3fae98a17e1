"""Where a task runs: the runnable tasks of a pool are brought to its free slots, or told why not.

Any process may do it at any time. Passes over one pool follow one another (an advisory lock of the database, held for
one transaction), so each sees what the one before it decided, and an answer to a person is never a guess. A lost
process loses its lock with its connection; `lock_timeout` bounds the wait for a stalled one.
"""

import logging
from collections import Counter
from dataclasses import dataclass, field

from django.db import IntegrityError, connection, transaction

from agents import capacity as capacities
from agents import gates
from agents.capacity import Capacity, Room
from agents.gates import Candidate
from iacplatform.base import actors
from pools.models import Pool
from tasks import attempts, moves, plans, reasons, recovery
from tasks.errors import LostRace
from tasks.models import Task
from tasks.reasons import Code
from tasks.states import Status

FAST_PATH_TASKS = 200
"""Most tasks that one pass of the fast path looks at; the sweep looks at all."""

log = logging.getLogger(__name__)


@dataclass
class Pass:
    """What one pass over a pool did."""

    pool_id: str | None
    cause: str
    seen: int = 0
    offers: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

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
        _one_pass_at_a_time(pool_id)
        capacity = capacities.look(Pool.objects.filter(pk=pool_id).first() if pool_id else None)
        for task in _runnable(pool_id, most, task_id):
            _decide(task, capacity, done)
    if done.seen:
        log.info("Dispatched.", extra=done.log_fields())
    return done


def try_dispatch(pool_id: str | None, *, cause: str, task_id: int | None = None) -> None:
    """Dispatch; a failure is logged, and shown on the task that asked for it (`dispatch_failed`)."""
    try:
        dispatch(pool_id, cause=cause, task_id=task_id)
    except Exception as error:
        log.exception("Dispatching failed.", extra={"pool": pool_id, "cause": cause, "task": task_id})
        for task in Task.objects.runnable().filter(id=task_id or 0):
            moves.explain_wait(task, reasons.dispatch_failed(type(error).__name__))


def _one_pass_at_a_time(pool_id: str | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"dispatch:{pool_id}"])


def _runnable(pool_id: str | None, most: int | None, task_id: int | None) -> list[Task]:
    waiting = Task.objects.select_related("workspace__state_lock").for_pool(pool_id).runnable().in_order()
    batch = list(waiting[:most])
    if task_id is None or any(task.pk == task_id for task in batch):
        return batch
    return [*batch, *waiting.filter(id=task_id)]


def _decide(task: Task, capacity: Capacity, done: Pass) -> None:
    done.seen += 1
    if task.status == Status.CONFIRMED and plans.is_stale(task):
        cause = "The state has changed since the confirmed plan was made."
        recovery.plan_again(task, cause=cause, actor=actors.DISPATCHER)
    if task.is_final:
        return
    candidate = Candidate(task, capacity)
    reason = gates.first_obstacle(candidate)
    if reason is not None and reason.code == Code.NO_FREE_SLOT and _reclaim(candidate):
        reason = gates.first_obstacle(candidate)
    if reason is None:
        _offer(candidate, done)
        return
    done.reasons[reason.code] += 1
    moves.explain_wait(task, reason)


def _offer(candidate: Candidate, done: Pass) -> None:
    room, slot = _choose(candidate)
    try:
        attempts.offer(candidate.task, room.place(slot))
    except (LostRace, IntegrityError) as error:
        # A person's move, or a slot that filled in this instant, must not undo the rest of the pass.
        log.info("An offer came too late.", extra={"error": type(error).__name__, **candidate.task.log_fields()})
        return
    room.free.discard(slot)
    done.offers += 1


def _choose(candidate: Candidate) -> tuple[Room, int]:
    """Return the slot that is kept for the task, else one of the fullest agent: empty agents stay empty, to go away."""
    kept, slot = candidate.kept, candidate.task.slot
    if kept is not None and kept in candidate.able and slot is not None:
        return kept, slot
    fullest = min((room for room in candidate.able if room.free), key=lambda room: (len(room.free), room.agent.name))
    return fullest, min(fullest.free)


def _reclaim(candidate: Candidate) -> bool:
    """Give up the oldest reservation on an agent that could do this task; return whether there was one."""
    capacity = candidate.capacity
    if capacity.can_grow:
        return False
    for holder in capacity.holding({room.agent.pk for room in candidate.able}):
        room = capacity.room_of(holder.agent_id)
        if holder.status == Status.APPLY_PENDING and room is not None and holder.slot is not None:
            return _give_up(holder, room, holder.slot, candidate)
    return False


def _give_up(holder: Task, room: Room, slot: int, candidate: Candidate) -> bool:
    cause = f"Its slot was given to task {candidate.task.pk}, which found no other."
    candidate.capacity.reservations.remove(holder)
    try:
        recovery.end_reservation(holder, cause=cause, actor=actors.DISPATCHER)
    except LostRace:
        return False
    room.free.add(slot)
    return True
