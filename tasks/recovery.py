"""What becomes of a task whose agent, slot or plan is gone."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from iacplatform.base import actors, clock
from tasks import attempts, moves, plans, reasons
from tasks.models import Attempt, Task
from tasks.states import Event, Lease, Position, Status
from workspaces import locks

log = logging.getLogger(__name__)

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
        **unplanned(task),
    )


def unplanned(task: Task) -> dict[str, Any]:
    """Return the columns of a task whose plan and confirmation are void."""
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
