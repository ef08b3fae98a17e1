"""A person's word on a plan: confirmed, exactly as read, or discarded."""

from typing import Any

from django.db import transaction

from iacplatform.base import actors, clock
from tasks import moves, plans, reasons
from tasks.errors import IllegalMove, PlanChanged, PlanStale
from tasks.models import Task
from tasks.states import Event, Position, Status

_CONFIRMED_ALREADY = {Position.CONFIRMED, Position.APPLYING, Position.NEEDS_ATTENTION}


def confirm(task: Task, *, by: Any, description: str = "", plan_digest: str = "") -> bool:
    """Confirm the task's current plan; return False when this plan was confirmed before: twice is once.

    Raises `PlanChanged` when `plan_digest` names another plan, or is missing though the task has had several;
    `PlanStale` when the state moved under the plan; `IllegalMove` where there is nothing to confirm.
    """
    with transaction.atomic():
        locked = Task.objects.locked(task.pk)
        _demand_this_plan(locked, plan_digest)
        if _is_confirmed(locked):
            return False
        if locked.status == Status.APPLY_PENDING and plans.is_stale(locked):
            raise PlanStale(
                f"The state has changed since task {task.pk} was planned. Retry it for a new plan, or discard."
            )
        moves.move(
            locked,
            Event.CONFIRM,
            Status.CONFIRMED,
            actor=actors.user(by),
            why=description,
            reason=reasons.dispatching(),
            confirmed_by=by,
            confirmed_at=clock.DatabaseNow(),
            apply_description=description,
        )
    return True


def discard(task: Task, *, by: Any) -> None:
    """End the task without applying its plan. Raises `IllegalMove` unless it awaits confirmation."""
    moves.move(
        task,
        Event.DISCARD,
        Status.DISCARDED,
        actor=actors.user(by),
        why="The plan was discarded.",
        epoch=task.epoch + 1,
    )


def _is_confirmed(task: Task) -> bool:
    return task.confirmed_at is not None and (task.position in _CONFIRMED_ALREADY or task.status == Status.APPLIED)


def _demand_this_plan(task: Task, plan_digest: str) -> None:
    if not task.plan_digest:
        raise IllegalMove(f"Task {task.pk} is {task.position.label} and has no plan to confirm.")
    if plan_digest == task.plan_digest or (not plan_digest and task.plan_count == 1):
        return
    if plan_digest:
        raise PlanChanged(
            f"Task {task.pk} has another plan now: read it, then confirm it by its digest {task.plan_digest}."
        )
    raise PlanChanged(
        f"Task {task.pk} was planned {task.plan_count} times: read the newest plan, then send its plan_digest "
        f"{task.plan_digest} with the confirmation."
    )
