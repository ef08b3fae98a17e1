"""What people do about a task that cannot go on: try again, or say that a lost apply is over."""

from typing import Any

from django.db import transaction

from iacplatform.base import actors
from tasks import attempts, dispatching, follow_ups, moves, plans, reasons, recovery
from tasks.errors import LostRace, NoReason, NotRetryable
from tasks.follow_ups import Result, Retrial
from tasks.models import Task, TaskEvent
from tasks.states import RUNNABLE, Event, Phase, Position, Status
from workspaces import locks
from workspaces import states as workspace_states

MARKED = "marked_failed"
"""The `error_code` of what a person gave up."""


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
    if plans.is_out_of_reach(task):
        _replan(task, by, "A new plan was asked for, because no agent can apply the confirmed one.")
        return Result.PLANS_AGAIN
    if task.status in RUNNABLE:
        Task.objects.filter(pk=task.pk).update(not_before=None)
        task.not_before = None
        dispatching.ask_again(task)
        return Result.LOOKED_AGAIN
    if task.status == Status.APPLY_PENDING and plans.is_stale(task):
        _replan(task, by, "A new plan was asked for, because the state has changed.")
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
    workspace_states.release_locks_of(workspace_id=task.workspace_id, task_id=task.pk, epoch=epoch, phase=Phase.APPLY)
    locks.release_for_task(task.workspace_id, task.pk)


def _replan(task: Task, by: Any, why: str) -> None:
    moves.move(
        task,
        Event.REPLAN,
        Status.PENDING,
        actor=actors.user(by),
        why=why,
        reason=reasons.dispatching(),
        **recovery.unplanned(task),
    )
