"""What an agent reports of an attempt's end, and what becomes of the task."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from iacplatform.base import actors, clock, writes
from iacplatform.base.writes import Write
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
            _End(task, attempt, result).take(reservation_seconds)


def sentence(plan: Plan) -> str:
    """Return a plan's changes in words."""
    outputs = "output to change" if plan.changes.get("outputs") == 1 else "outputs to change"
    named = {"add": "to add", "change": "to change", "destroy": "to destroy", "outputs": outputs}
    counted = [f"{plan.changes[key]} {word}" for key, word in named.items() if plan.changes.get(key)]
    return ", ".join(counted) or "no changes"


def _was_taken(attempt: Attempt) -> bool:
    """Return whether this is the result again of an apply that was killed: its attempt stays open for a person."""
    return attempt.exit_code is not None


@dataclass(frozen=True)
class _End:
    """An attempt that ends with a result, both rows locked."""

    task: Task
    attempt: Attempt
    result: Result

    @property
    def actor(self) -> str:
        return actors.agent(self.attempt.agent_name)

    def take(self, reservation_seconds: int) -> None:
        """Write the attempt's end and the move that it makes, which depends on where the task stands by now."""
        task, result = self.task, self.result
        if result.outcome == "killed":
            self._break_off()
        elif result.outcome == "planned" and result.plan is not None and self.attempt.phase == Phase.PLAN:
            self._planned(plans.keep(self.attempt, result.plan), reservation_seconds)
        elif result.outcome == "applied" and self.attempt.phase == Phase.APPLY:
            self._end(Event.APPLIED, Status.APPLIED, "")
        elif result.outcome == "stale" and task.position == Position.APPLYING and task.cancelled_at is None:
            writes.together(*self._closing())
            recovery.plan_again(task, cause="The state has changed since the plan was made.", actor=self.actor)
        elif result.outcome == "cancelled" and task.position != Position.NEEDS_ATTENTION:
            self._end(Event.CANCELLED, Status.CANCELLED, result.error_message)
        else:
            self._refuse()

    def _closing(self, **facts: Any) -> list[Write]:
        known = {"cause": self.result.error_message, **self.result.numbers()}
        return attempts.closing(self.attempt, outcome=self.result.outcome, **{**known, **facts})

    def _planned(self, plan: Plan, reservation_seconds: int) -> None:
        task = self.task
        found: dict[str, Any] = {
            "plan_digest": plan.digest,
            "plan_count": task.plan_count + 1,
            "changes": {name: plan.changes[name] for name in ("add", "change", "destroy")},
            "stage": "",
        }
        if task.cancelled_at is not None:
            why = "The plan was made, and then the cancel counted."
            self._end(Event.CANCELLED, Status.CANCELLED, why, **found)
        elif not task.is_changing or not plan.has_changes:
            self._end(Event.UNCHANGED, Status.SUCCESS, sentence(plan), **found)
        else:
            self._ready_to_apply(plan, reservation_seconds, {**found, **_reserved(reservation_seconds)})

    def _ready_to_apply(self, plan: Plan, reservation_seconds: int, columns: dict[str, Any]) -> None:
        task = self.task
        kept = {"kept_until": clock.In(seconds=reservation_seconds)} if reservation_seconds else {}
        how: dict[str, Any] = {"actor": self.actor, "along": self._closing(**kept), **columns}
        # A re-plan was not seen by anybody, so what was agreed beforehand does not cover it.
        if task.auto_apply and task.plan_count == 0:
            word: dict[str, Any] = {"confirmed_by": task.created_by, "confirmed_at": clock.DatabaseNow()}
            why = f"Confirmed beforehand by its creator (auto_apply): {sentence(plan)}"
            moves.move(task, Event.AUTO_APPLY, Status.CONFIRMED, why=why, reason=reasons.dispatching(), **how, **word)
            return
        awaiting = reasons.awaiting_confirmation(sentence(plan), is_first=task.plan_count == 0)
        # The state may have moved between the engine's end and this word of it.
        reason = plans.staleness_of(plan, task.workspace_id) or awaiting
        moves.move(task, Event.PLANNED, Status.APPLY_PENDING, why=sentence(plan), reason=reason, **how)

    def _refuse(self) -> None:
        task, result = self.task, self.result
        message = result.error_message or f"The engine ended with exit status {result.exit_code}."
        words: dict[str, Any] = {"error_code": result.error_code or "engine_failed", "error_message": message}
        if task.cancelled_at is not None and task.position in {Position.PLANNING, Position.APPLYING}:
            self._end(Event.CANCELLED, Status.CANCELLED, message, **words)
        else:
            self._end(Event.REFUSED, Status.FAILED, message, **words)

    def _break_off(self) -> None:
        task, attempt, result = self.task, self.attempt, self.result
        cause = f"The engine was killed (signal {-result.exit_code}). {result.error_message}".strip()
        if task.status == Status.NEEDS_ATTENTION:
            failed: dict[str, Any] = {"error_code": "engine_failed", "error_message": cause}
            self._end(Event.REFUSED, Status.FAILED, cause, along=self._closing(cause=cause), **failed)
            return
        Attempt.objects.filter(pk=attempt.pk).update(**result.numbers())
        recovery.break_off(task, attempt, cause=cause, actor=self.actor)

    def _end(self, event: Event, to: Status, why: str, *, along: list[Write] | None = None, **columns: Any) -> None:
        task, lost = self.task, self.task.status == Status.NEEDS_ATTENTION
        moves.move(task, event, to, actor=self.actor, why=why, along=along or self._closing(), **columns)
        if lost:
            locks.release_for_task(task.workspace_id, task.pk)


def _reserved(seconds: int) -> dict[str, Any]:
    """Return the lease that keeps the planner's slot; without seconds, none."""
    if seconds == 0:
        return moves.UNASSIGNED
    return {"lease": Lease.RESERVED, "lease_expires_at": clock.In(seconds=seconds)}
