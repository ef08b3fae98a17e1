"""What an agent reports of an attempt's end, and what becomes of the task."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from iacplatform.base import actors, clock
from tasks import attempts, moves, plans, reasons, recovery
from tasks.models import Attempt, Plan, Task
from tasks.states import Event, Lease, Phase, Position, Status
from workspaces import locks


@dataclass(frozen=True, kw_only=True)
class Result:
    """How an attempt ended. `outcome`: planned, applied, failed, cancelled, stale or killed."""

    outcome: str
    exit_code: int
    seconds: float
    log_bytes: int
    error_code: str = ""
    error_message: str = ""
    plan: dict[str, Any] | None = None  # the columns of `Plan`; exactly with outcome `planned`

    def numbers(self) -> dict[str, Any]:
        """Return what the attempt's row keeps."""
        return {"exit_code": self.exit_code, "seconds": self.seconds, "log_bytes": self.log_bytes}


def finish(task_id: int, epoch: int, agent_id: str, result: Result, *, reservation_seconds: int) -> None:
    """Store the result and move the task, in one transaction; the same result again changes nothing.

    Raises `StaleEpoch` when the attempt is no longer the task's.
    """
    with transaction.atomic():
        task, attempt = attempts.locked(task_id, epoch, agent_id)
        if attempt.ended_at is None and not _was_taken(attempt):
            _take(task, attempt, result, reservation_seconds)


def _was_taken(attempt: Attempt) -> bool:
    """Return whether this is the result again of an apply that was killed: its attempt stays open for a person."""
    return attempt.exit_code is not None


def _take(task: Task, attempt: Attempt, result: Result, reservation_seconds: int) -> None:
    actor = actors.agent(attempt.agent_name)
    if result.outcome == "killed":
        cause = f"The engine was killed (signal {-result.exit_code}). {result.error_message}".strip()
        _broken_off(task, attempt, cause, actor, result)
        return
    attempts.close(attempt, outcome=result.outcome, cause=result.error_message, **result.numbers())
    if result.outcome == "planned" and result.plan is not None and attempt.phase == Phase.PLAN:
        _planned(task, plans.keep(attempt, result.plan), actor, reservation_seconds)
    elif result.outcome == "applied" and attempt.phase == Phase.APPLY:
        _ended(task, Event.APPLIED, Status.APPLIED, actor, "")
    elif result.outcome == "stale" and task.position == Position.APPLYING and task.cancelled_at is None:
        recovery.plan_again(task, cause="The state has changed since the plan was made.", actor=actor)
    elif result.outcome == "cancelled" and task.position != Position.NEEDS_ATTENTION:
        _ended(task, Event.CANCELLED, Status.CANCELLED, actor, result.error_message)
    else:
        _refused(task, actor, result)


def _planned(task: Task, plan: Plan, actor: str, reservation_seconds: int) -> None:
    found = {
        "plan_digest": plan.digest,
        "plan_count": task.plan_count + 1,
        "changes": {name: plan.changes[name] for name in ("add", "change", "destroy")},
        "stage": "",
    }
    if task.cancelled_at is not None:
        _ended(
            task, Event.CANCELLED, Status.CANCELLED, actor, "The plan was made, and then the cancel counted.", **found
        )
    elif not task.is_changing or not plan.has_changes:
        _ended(task, Event.UNCHANGED, Status.SUCCESS, actor, sentence(plan), **found)
    else:
        _ready_to_apply(task, plan, actor, {**found, **_reserved(plan, reservation_seconds)})


def _ready_to_apply(task: Task, plan: Plan, actor: str, columns: dict[str, Any]) -> None:
    # A re-plan was not seen by anybody, so what was agreed beforehand does not cover it.
    if task.auto_apply and task.plan_count == 0:
        word = {"confirmed_by": task.created_by, "confirmed_at": clock.DatabaseNow()}
        why = f"Confirmed beforehand by its creator (auto_apply): {sentence(plan)}"
        reason = reasons.dispatching()
        moves.move(task, Event.AUTO_APPLY, Status.CONFIRMED, actor=actor, why=why, reason=reason, **columns, **word)
        return
    awaiting = reasons.awaiting_confirmation(sentence(plan), is_first=task.plan_count == 0)
    # The state may have moved between the engine's end and this word of it.
    reason = plans.staleness_of(plan, task.workspace_id) or awaiting
    moves.move(task, Event.PLANNED, Status.APPLY_PENDING, actor=actor, why=sentence(plan), reason=reason, **columns)


def sentence(plan: Plan) -> str:
    """Return a plan's changes in words."""
    outputs = "output to change" if plan.changes.get("outputs") == 1 else "outputs to change"
    named = {"add": "to add", "change": "to change", "destroy": "to destroy", "outputs": outputs}
    counted = [f"{plan.changes[key]} {word}" for key, word in named.items() if plan.changes.get(key)]
    return ", ".join(counted) or "no changes"


def _reserved(plan: Plan, seconds: int) -> dict[str, Any]:
    """Return the lease that keeps the planner's slot, and write down for how long; without seconds, none."""
    if seconds == 0:
        return moves.UNASSIGNED
    Attempt.objects.filter(pk=plan.attempt_id).update(kept_until=clock.In(seconds=seconds))
    return {"lease": Lease.RESERVED, "lease_expires_at": clock.In(seconds=seconds)}


def _ended(task: Task, event: Event, to: Status, actor: str, why: str, **columns: Any) -> None:
    lost = task.status == Status.NEEDS_ATTENTION
    moves.move(task, event, to, actor=actor, why=why, **columns)
    if lost:
        locks.release_for_task(task.workspace_id, task.pk)


def _refused(task: Task, actor: str, result: Result) -> None:
    message = result.error_message or f"The engine ended with exit status {result.exit_code}."
    words = {"error_code": result.error_code or "engine_failed", "error_message": message}
    if task.cancelled_at is not None and task.position in {Position.PLANNING, Position.APPLYING}:
        _ended(task, Event.CANCELLED, Status.CANCELLED, actor, message, **words)
        return
    _ended(task, Event.REFUSED, Status.FAILED, actor, message, **words)


def _broken_off(task: Task, attempt: Attempt, cause: str, actor: str, result: Result) -> None:
    if task.status == Status.NEEDS_ATTENTION:
        attempts.close(attempt, outcome="killed", cause=cause, **result.numbers())
        _ended(task, Event.REFUSED, Status.FAILED, actor, cause, error_code="engine_failed", error_message=cause)
        return
    Attempt.objects.filter(pk=attempt.pk).update(**result.numbers())
    recovery.break_off(task, attempt, cause=cause, actor=actor)
