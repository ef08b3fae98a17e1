"""A person's word on a plan: confirmed, exactly as read, or discarded."""

from typing import Any

from django.db import transaction

from iacplatform.base import actors, clock
from tasks import dispatching, moves, plans, reasons
from tasks.errors import IllegalMove, PlanChanged, PlanStale
from tasks.models import Task
from tasks.states import Event, Position, Status

_CONFIRMED_ALREADY = {Position.CONFIRMED, Position.APPLYING, Position.NEEDS_ATTENTION}


def confirm(task: Task, *, by: Any, description: str = "", plan_digest: str = "") -> bool:
    """Confirm the task's current plan; return False when this plan was confirmed before: twice is once.

    Where it was, a slot is looked for again. Raises `PlanChanged` when `plan_digest` names another plan, or is missing
    though the task has had several; `PlanStale` when the state moved under the plan; `IllegalMove` where there is
    nothing to confirm.
    """
    with transaction.atomic():
        locked = Task.objects.locked(task.pk)
        _demand_this_plan(locked, plan_digest)
        if _is_confirmed(locked):
            dispatching.ask_again(locked)
            return False
        stale = plans.staleness(locked) if locked.status == Status.APPLY_PENDING else None
        if stale is None:
            _confirm(locked, by, description)
            return True
        # Where the news of the state was lost, this is how the task's people hear of it.
        moves.explain_wait(locked, stale)
    raise PlanStale(f"The state has changed since task {task.pk} was planned. Retry it for a new plan, or discard.")


def discard(task: Task, *, by: Any) -> bool:
    """End the task without applying its plan; return False when it was discarded before.

    Raises `IllegalMove` unless it awaits confirmation, `LostRace` when `task` shows another plan than its row.
    """
    with transaction.atomic():
        if Task.objects.locked(task.pk).status == Status.DISCARDED:
            return False
        why = "The plan was discarded."
        moves.move(task, Event.DISCARD, Status.DISCARDED, actor=actors.user(by), why=why, epoch=task.epoch + 1)
    return True


def _confirm(task: Task, by: Any, description: str) -> None:
    moves.move(
        task,
        Event.CONFIRM,
        Status.CONFIRMED,
        actor=actors.user(by),
        why=description,
        reason=reasons.dispatching(),
        confirmed_by=by,
        confirmed_at=clock.DatabaseNow(),
        apply_description=description,
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
