"""What becomes of a task whose agent, slot or plan is gone."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from iacplatform.base import actors, clock
from tasks import attempts, dispatching, follow_ups, moves, plans, reasons
from tasks.errors import LostRace, NoReason, NotRetryable
from tasks.follow_ups import Result, Retrial
from tasks.models import Attempt, Task, TaskEvent
from tasks.states import RUNNABLE, Event, Lease, Phase, Position, Status
from workspaces import locks
from workspaces import states as workspace_states

log = logging.getLogger(__name__)

MARKED = "marked_failed"
"""The `error_code` of what a person gave up."""

MOST_ATTEMPTS = 3
BACK_OFF_SECONDS = (5, 20)
"""After the first and the second attempt that broke off."""

NO_LEASE: dict[str, Any] = {"stage": "", **moves.RELEASED}
"""The lease of a task that needs attention is over: its agent is gone."""


def slot_lost(
    task_id: int,
    agent_id: str,
    *,
    cause: str,
    last_seen: datetime | None,
    actor: str = actors.SWEEP,
    seen: Task | None = None,
) -> None:
    """Do what the table says of a task whose agent is gone, whatever lease it held there. Nothing when it moved on.

    `seen`: the row upon which it was decided; where the lease is another one now, nothing is done.
    """
    with transaction.atomic():
        task = Task.objects.locked(task_id)
        if task.agent_id != agent_id or task.lease == Lease.NONE:
            return
        if seen is not None and (task.epoch, task.lease) != (seen.epoch, seen.lease):
            return
        if task.lease == Lease.OFFERED:
            attempts.take_back(task, cause=cause, actor=actor)
        elif task.lease == Lease.RESERVED:
            end_reservation(task, cause=cause, actor=actor)
        elif task.status == Status.RUNNING:
            break_off(task, attempts.newest_of(task), cause=cause, actor=actor, last_seen=last_seen)
        else:
            Task.objects.filter(pk=task.pk).update(**NO_LEASE)


def slot_regained(task_id: int, epoch: int, agent_id: str) -> None:
    """Hold the slot again where a lost agent still runs the apply: the slot is taken, whatever we thought."""
    lost = Task.objects.filter(pk=task_id, epoch=epoch, agent_id=agent_id, status=Status.NEEDS_ATTENTION)
    try:
        with transaction.atomic():
            lost.filter(lease=Lease.NONE).update(lease=Lease.RUNNING)
    except IntegrityError:
        log.warning("A slot was given away while its agent was lost.", extra={"task": task_id, "agent": agent_id})


def end_reservation(task: Task, *, cause: str, actor: str) -> None:
    """Free the slot that was kept for the apply; the plan is stored, so only warmth is lost."""
    lost = reasons.reservation_lost(cause, is_confirmed=task.status == Status.CONFIRMED)
    # A warm slot would not help a stale plan: what its people have to know does not change.
    reason = plans.staleness(task) or lost if task.status == Status.APPLY_PENDING else lost
    event = Event.RESERVATION_ENDED
    moves.move(task, event, Status(task.status), actor=actor, why=cause, reason=reason, **moves.UNASSIGNED)


def break_off(task: Task, attempt: Attempt, *, cause: str, actor: str, last_seen: datetime | None = None) -> None:
    """End a running phase without a result: once more after a pause, or a person's turn if it may have applied."""
    if attempt.permitted_at is not None:
        need_attention(task, attempt, Event.LOST, actor=actor, cause=cause, last_seen=last_seen)
        return
    attempts.close(attempt, outcome="interrupted", cause=cause)
    if task.cancelled_at is not None:
        moves.move(task, Event.CANCELLED, Status.CANCELLED, actor=actor, why=cause, epoch=task.epoch + 1)
    elif task.attempt >= MOST_ATTEMPTS:
        _give_up(task, Event.INTERRUPTED, actor, _exhausted(task))
    else:
        _try_again(task, cause, actor)


def need_attention(
    task: Task,
    attempt: Attempt,
    event: Event,
    *,
    actor: str,
    cause: str,
    last_seen: datetime | None = None,
    lease: Mapping[str, Any] = NO_LEASE,
) -> None:
    """Nobody knows how an apply ended: a person decides. The epoch stays, so that a late result still counts.

    `lease`: what becomes of the lease and stage; empty: they stay, as the apply is still under way on a living agent.
    """
    moves.move(
        task,
        event,
        Status.NEEDS_ATTENTION,
        actor=actor,
        why=cause,
        reason=reasons.agent_lost(attempt.agent_name, last_seen, cause),
        **lease,
    )
    locks.hold_for_task(task.workspace_id, task.pk)


def plan_again(task: Task, *, cause: str, actor: str) -> None:
    """Void the confirmation of a stale plan and plan anew, at most `max_retries` times."""
    attempts.close_open(task, outcome="stale", cause=cause)
    if task.retry_count >= task.max_retries:
        _give_up(task, Event.STALE, actor, f"The plan was stale {task.retry_count + 1} times in a row. {cause}")
        return
    why = f"{cause} A new plan is made, and needs a new confirmation."
    moves.move(
        task,
        Event.STALE,
        Status.PENDING,
        actor=actor,
        why=why,
        reason=reasons.dispatching(),
        retry_count=task.retry_count + 1,
        **_unplanned(task),
    )


def retry(task: Task, *, by: Any) -> Retrial:
    """Try again, as the table says for the task's status; what that was and which task to look at is returned.

    Where a slot is all that it lacks, one is looked for after the commit. Raises `NotRetryable` where there is nothing
    to try again, `LostRace` where a lost apply is not what `task` shows.
    """
    with transaction.atomic():
        locked = Task.objects.locked(task.pk)
        if locked.status == Status.NEEDS_ATTENTION:
            _demand_seen(task, locked)
            mark_failed(locked, by=by, reason="Retried.")
        if locked.status in follow_ups.FOLLOWED_UP:
            return follow_ups.follow_up(locked, by=by)
        return Retrial(locked, _try_the_same(locked, by))


def _try_the_same(task: Task, by: Any) -> Result:
    if task.status in RUNNABLE:
        Task.objects.filter(pk=task.pk).update(not_before=None)
        task.not_before = None
        dispatching.ask_again(task)
        return Result.LOOKED_AGAIN
    if task.status == Status.APPLY_PENDING and plans.is_stale(task):
        _replan(task, by)
        return Result.PLANS_AGAIN
    if task.position in {Position.PLANNING, Position.APPLY_PENDING} and _was_replanned(task):
        return Result.KNOWN_PLAN
    raise NotRetryable(f"Task {task.pk} is {task.position.label}; there is nothing to try again.")


def _was_replanned(task: Task) -> bool:
    """Return whether a person asked for the plan that is made now, or was made last, in place of a stale one."""
    planned = (Event.REPLAN, Event.STALE)
    last = TaskEvent.objects.filter(task=task, event__in=planned).order_by("id").last()
    return last is not None and last.event == Event.REPLAN


def _demand_seen(seen: Task, now: Task) -> None:
    """Who retried what was still running did not say that a lost apply is over, and may not have the right to."""
    if seen.status != now.status:
        raise LostRace(f"Task {now.pk} became {now.position.label} in this moment. Look at it, then decide.")


def mark_failed(task: Task, *, by: Any, reason: str) -> bool:
    """A person's word that the lost apply is over. Lets go of the task's lock, and of its orphaned state lock.

    Returns False when somebody said so before. Raises `IllegalMove` unless the task needs attention, `NoReason` where
    `reason` is empty.
    """
    with transaction.atomic():
        locked = Task.objects.locked(task.pk)
        is_news = (locked.status, locked.error_code) != (Status.FAILED, MARKED)
        if is_news:
            _mark(locked, by, reason)
    task.refresh_from_db()
    return is_news


def demand_reason(reason: str) -> None:
    """Raise `NoReason` where a person does not say why."""
    if not reason.strip():
        raise NoReason


def _mark(task: Task, by: Any, reason: str) -> None:
    epoch = task.epoch
    moves.demand(task, Event.MARK_FAILED)
    demand_reason(reason)
    moves.move(
        task,
        Event.MARK_FAILED,
        Status.FAILED,
        actor=actors.user(by),
        why=reason,
        epoch=epoch + 1,
        error_code=MARKED,
        error_message=reason,
    )
    attempts.close_open(task, outcome="lost", cause=reason)
    workspace_states.release_locks_of(task_id=task.pk, epoch=epoch, phase=Phase.APPLY)
    locks.release_for_task(task.workspace_id, task.pk)


def _replan(task: Task, by: Any) -> None:
    why = "A new plan was asked for, because the state has changed."
    moves.move(
        task,
        Event.REPLAN,
        Status.PENDING,
        actor=actors.user(by),
        why=why,
        reason=reasons.dispatching(),
        **_unplanned(task),
    )


def _unplanned(task: Task) -> dict[str, Any]:
    void = {"confirmed_at": None, "confirmed_by": None, "plan_digest": "", "changes": None, "apply_description": ""}
    return {**void, "phase": "", "attempt": 0, "stage": "", "epoch": task.epoch + 1, **moves.UNASSIGNED}


def _try_again(task: Task, cause: str, actor: str) -> None:
    seconds = BACK_OFF_SECONDS[task.attempt - 1]
    to = Status.PENDING if task.position == Position.PLANNING else Status.CONFIRMED
    reason = reasons.retry_backoff(task.attempt, MOST_ATTEMPTS, cause, seconds)
    moves.move(
        task,
        Event.INTERRUPTED,
        to,
        actor=actor,
        why=cause,
        reason=reason,
        epoch=task.epoch + 1,
        stage="",
        not_before=clock.In(seconds=seconds),
        **moves.UNASSIGNED,
    )


def _give_up(task: Task, event: Event, actor: str, message: str) -> None:
    moves.move(
        task,
        event,
        Status.FAILED,
        actor=actor,
        why=message,
        epoch=task.epoch + 1,
        error_code="attempts_exhausted",
        error_message=message,
    )


def _exhausted(task: Task) -> str:
    causes = Attempt.objects.filter(task=task, phase=task.phase, outcome="interrupted").values_list("cause", flat=True)
    return f"{task.attempt} attempts at the {task.phase} broke off: " + " ".join(causes)
