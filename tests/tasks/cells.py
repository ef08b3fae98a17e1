"""How each cell of the table comes about: a task brought there, and the verb that moves it on."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import F

from tasks import attempts, cancellation, confirmation, permits, recovery, remedies, scheduler
from tasks.models import Task
from tasks.states import Event, Position, Status
from tests.tasks import factories
from workspaces import locks

Maker = Callable[[], Task]
Act = Callable[[Task], Any]
Cell = tuple[Position, Event, Status]


def lose(task: Task) -> None:
    recovery.slot_lost(task.pk, task.agent_id, cause="The agent is gone.", last_seen=None)


def cancel(task: Task) -> None:
    cancellation.cancel(task, by=factories.person())


def force_cancel(task: Task) -> None:
    cancellation.force_cancel(task, by=factories.person())


def confirm(task: Task) -> None:
    confirmation.confirm(task, by=factories.person())


def accept(task: Task) -> None:
    attempts.accept(task.pk, task.epoch, task.agent_id)


def finish(outcome: str, **words: Any) -> Act:
    return lambda task: factories.finish(task, outcome, **words)


def lock_workspace(task: Task) -> None:
    locks.lock(task.workspace, by=factories.person(), reason="Hands off.")
    scheduler.advance(task.workspace_id)


def end_the_one_before(task: Task) -> None:
    first = scheduler.before(task)
    assert first is not None
    factories.finish(first, "failed", exit_code=1)
    scheduler.advance(task.workspace_id)


def replan(task: Task) -> None:
    remedies.retry(task, by=factories.person())


def mark_failed(task: Task) -> None:
    remedies.mark_failed(task, by=factories.person(), reason="It is over.")


def find_stale(task: Task) -> None:
    factories.store_state(task.workspace_id)
    permits.ask(task.pk, task.epoch, task.agent_id)


def plan_again(task: Task) -> None:
    with transaction.atomic():
        recovery.plan_again(task, cause="The state has changed.", actor="platform:dispatcher")


def queued() -> Task:
    return factories.pending(workspace=factories.planning().workspace)


def at_its_last_attempt(make: Maker) -> Maker:
    def made() -> Task:
        task = make()
        Task.objects.filter(pk=task.pk).update(attempt=recovery.MOST_ATTEMPTS)
        return factories.reread(task)

    return made


def at_its_last_plan(make: Maker) -> Maker:
    def made() -> Task:
        task = make()
        Task.objects.filter(pk=task.pk).update(retry_count=F("max_retries"))
        return factories.reread(task)

    return made


def before_the_permit() -> Task:
    return factories.applying(permitted=False)


def cancelled_before_its_end(make: Maker) -> Maker:
    def made() -> Task:
        task = make()
        cancel(task)
        return factories.reread(task)

    return made


def with_auto_apply() -> Task:
    return factories.planning(workspace=factories.workspace(auto_apply=True))


def offered_apply() -> Task:
    return factories.offered(factories.confirmed())


CELLS: dict[Cell, tuple[Maker, Act]] = {
    (Position.WAITING, Event.UNBLOCKED, Status.PENDING): (queued, end_the_one_before),
    (Position.WAITING, Event.CANCEL, Status.CANCELLED): (queued, cancel),
    (Position.PENDING, Event.OFFERED, Status.PENDING): (factories.pending, factories.offered),
    (Position.PENDING, Event.ACCEPTED, Status.RUNNING): (factories.offered, accept),
    (Position.PENDING, Event.LAPSED, Status.PENDING): (factories.offered, lose),
    (Position.PENDING, Event.WORKSPACE_LOCKED, Status.WAITING): (factories.pending, lock_workspace),
    (Position.PENDING, Event.CANCEL, Status.CANCELLED): (factories.offered, cancel),
    (Position.PLANNING, Event.UNCHANGED, Status.SUCCESS): (
        factories.planning,
        lambda task: factories.planned(task, has_changes=False),
    ),
    (Position.PLANNING, Event.PLANNED, Status.APPLY_PENDING): (factories.planning, factories.planned),
    (Position.PLANNING, Event.AUTO_APPLY, Status.CONFIRMED): (with_auto_apply, factories.planned),
    (Position.PLANNING, Event.REFUSED, Status.FAILED): (factories.planning, finish("failed", exit_code=1)),
    (Position.PLANNING, Event.INTERRUPTED, Status.PENDING): (factories.planning, lose),
    (Position.PLANNING, Event.INTERRUPTED, Status.FAILED): (at_its_last_attempt(factories.planning), lose),
    (Position.PLANNING, Event.CANCEL, Status.RUNNING): (factories.planning, cancel),
    (Position.PLANNING, Event.CANCELLED, Status.CANCELLED): (factories.cancelling, finish("cancelled", exit_code=1)),
    (Position.PLANNING, Event.FORCE_CANCEL, Status.CANCELLED): (factories.cancelling, force_cancel),
    (Position.APPLY_PENDING, Event.CONFIRM, Status.CONFIRMED): (factories.awaiting_confirmation, confirm),
    (Position.APPLY_PENDING, Event.DISCARD, Status.DISCARDED): (
        factories.awaiting_confirmation,
        lambda task: confirmation.discard(task, by=factories.person()),
    ),
    (Position.APPLY_PENDING, Event.CANCEL, Status.CANCELLED): (factories.awaiting_confirmation, cancel),
    (Position.APPLY_PENDING, Event.REPLAN, Status.PENDING): (factories.stale, replan),
    (Position.APPLY_PENDING, Event.RESERVATION_ENDED, Status.APPLY_PENDING): (factories.awaiting_confirmation, lose),
    (Position.CONFIRMED, Event.OFFERED, Status.CONFIRMED): (factories.confirmed, factories.offered),
    (Position.CONFIRMED, Event.ACCEPTED, Status.RUNNING): (offered_apply, accept),
    (Position.CONFIRMED, Event.LAPSED, Status.CONFIRMED): (offered_apply, lose),
    (Position.CONFIRMED, Event.STALE, Status.PENDING): (factories.confirmed, plan_again),
    (Position.CONFIRMED, Event.STALE, Status.FAILED): (at_its_last_plan(factories.confirmed), plan_again),
    (Position.CONFIRMED, Event.REPLAN, Status.PENDING): (factories.out_of_reach, replan),
    (Position.CONFIRMED, Event.RESERVATION_ENDED, Status.CONFIRMED): (factories.confirmed, lose),
    (Position.CONFIRMED, Event.CANCEL, Status.CANCELLED): (factories.confirmed, cancel),
    (Position.APPLYING, Event.APPLIED, Status.APPLIED): (factories.applying, finish("applied")),
    (Position.APPLYING, Event.REFUSED, Status.FAILED): (factories.applying, finish("failed", exit_code=1)),
    (Position.APPLYING, Event.STALE, Status.PENDING): (before_the_permit, find_stale),
    (Position.APPLYING, Event.STALE, Status.FAILED): (at_its_last_plan(before_the_permit), find_stale),
    (Position.APPLYING, Event.INTERRUPTED, Status.CONFIRMED): (before_the_permit, lose),
    (Position.APPLYING, Event.INTERRUPTED, Status.FAILED): (at_its_last_attempt(before_the_permit), lose),
    (Position.APPLYING, Event.LOST, Status.NEEDS_ATTENTION): (factories.applying, lose),
    (Position.APPLYING, Event.CANCEL, Status.RUNNING): (factories.applying, cancel),
    (Position.APPLYING, Event.CANCELLED, Status.CANCELLED): (
        cancelled_before_its_end(factories.applying),
        finish("cancelled", exit_code=1),
    ),
    (Position.APPLYING, Event.FORCE_CANCEL, Status.CANCELLED): (
        cancelled_before_its_end(before_the_permit),
        force_cancel,
    ),
    (Position.APPLYING, Event.FORCE_CANCEL, Status.NEEDS_ATTENTION): (
        cancelled_before_its_end(factories.applying),
        force_cancel,
    ),
    (Position.NEEDS_ATTENTION, Event.APPLIED, Status.APPLIED): (factories.needing_attention, finish("applied")),
    (Position.NEEDS_ATTENTION, Event.REFUSED, Status.FAILED): (
        factories.needing_attention,
        finish("failed", exit_code=1),
    ),
    (Position.NEEDS_ATTENTION, Event.MARK_FAILED, Status.FAILED): (factories.needing_attention, mark_failed),
}

AT: dict[Position, Maker] = {
    Position.WAITING: queued,
    Position.PENDING: factories.pending,
    Position.PLANNING: factories.planning,
    Position.APPLY_PENDING: factories.awaiting_confirmation,
    Position.CONFIRMED: factories.confirmed,
    Position.APPLYING: factories.applying,
    Position.NEEDS_ATTENTION: factories.needing_attention,
    Position.ENDED: factories.applied,
}
