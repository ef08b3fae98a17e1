"""The one way a task moves: a guarded UPDATE and its event, one statement."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Case, F, When
from django.db.models.expressions import Combinable

from iacplatform.base import actors, clock, news
from iacplatform.base.writes import Write
from tasks import history, signals, states
from tasks.errors import IllegalMove, LostRace
from tasks.models import Task
from tasks.reasons import Code, WaitReason
from tasks.states import Event, Lease, Status

NO_REASON: dict[str, Any] = {"reason": None, "reason_code": "", "reason_since": None}
RELEASED: dict[str, Any] = {"lease": Lease.NONE, "lease_expires_at": None}
"""The lease ends; where the task ran stays readable."""
UNASSIGNED: dict[str, Any] = {**RELEASED, "agent_id": "", "pod_name": "", "slot": None}
"""The lease ends, and the task will run somewhere else."""


def move(
    task: Task,
    event: Event,
    to: Status,
    *,
    actor: str,
    why: str = "",
    reason: WaitReason | None = None,
    along: Sequence[Write] = (),
    **changes: Any,
) -> None:
    """Write the move, its event and what goes along with it together, or raise and write nothing.

    `why`: a sentence for the history. `reason`: why the task waits after the move; needed exactly where it does.
    Raises `IllegalMove` where the table has no such cell, `LostRace` where the row is no longer as `task` shows it.
    """
    if to not in states.allowed(task.position, event):
        raise refusal(task, event)
    before, held_by = task.status, task.agent_id
    seen = Task.objects.filter(pk=task.pk, status=before, epoch=task.epoch, lease=task.lease, phase=task.phase)
    now = {"status": to, "updated_at": clock.DatabaseNow()}
    columns = {**now, **_ending(to), **_waiting(to, reason), **changes}
    if not history.move(task, seen, columns, event, actor=actor, why=why, along=along):
        raise LostRace(f"Task {task.pk} is no longer {before}: somebody else moved it. Look at it again.")
    _take_over(task, columns)
    announce(task, event, agent_id=held_by or task.agent_id)


def announce(task: Task, event: Event, *, agent_id: str = "", **known: Any) -> None:
    """Tell those above of the move, after the commit. `known`: what was read on the way and need not be again."""
    news.announce(
        signals.task_moved,
        task_id=task.pk,
        workspace_id=task.workspace_id,
        queues=task.is_changing,
        event=event,
        status=task.status,
        agent_id=agent_id,
        **known,
    )


def explain_wait(task: Task, reason: WaitReason) -> bool:
    """Write why the task waits, where that is news; return whether it was.

    An unchanged reason costs no write: when it was last looked at, the sweep's own row says.
    """
    if task.reason == reason.stored():
        return False
    unmoved = Task.objects.filter(pk=task.pk, status=task.status, epoch=task.epoch, lease=task.lease)
    written = unmoved.exclude(reason__isnull=True).update(**_reason_columns(reason))
    if written and reason.code == Code.DISPATCH_FAILED:
        history.add(task, Event.DISPATCH_FAILED, task.status, actor=actors.DISPATCHER, why=reason.message)
    return bool(written)


def explain_waits(told: Iterable[tuple[Task, WaitReason]]) -> None:
    """Write of each task why it waits, where that is news; one statement serves all that wait for the same.

    The tasks must be as `told` shows them, their rows locked.
    """
    alike: dict[str, tuple[WaitReason, list[Task]]] = {}
    for task, reason in told:
        if task.reason != (stored := reason.stored()):
            words = json.dumps([stored, reason.deadline], sort_keys=True, cls=DjangoJSONEncoder)
            alike.setdefault(words, (reason, []))[1].append(task)
    for reason, tasks in alike.values():
        _explain_alike(tasks, reason)


def _explain_alike(tasks: list[Task], reason: WaitReason) -> None:
    waiting = Task.objects.filter(pk__in=[task.pk for task in tasks], reason__isnull=False)
    waiting.update(**_reason_columns(reason))
    if reason.code == Code.DISPATCH_FAILED:
        for task in tasks:
            history.add(task, Event.DISPATCH_FAILED, task.status, actor=actors.DISPATCHER, why=reason.message)


def demand(task: Task, event: Event) -> None:
    """Raise `IllegalMove` where `event` cannot happen to the task now."""
    if not states.allowed(task.position, event):
        raise refusal(task, event)


def refusal(task: Task, event: Event) -> IllegalMove:
    """Return what says that `event` cannot happen to the task now."""
    return IllegalMove(f"Task {task.pk} is {task.position.label}: {Event(event).label.lower()} is not possible there.")


def _take_over(task: Task, columns: dict[str, Any]) -> None:
    """Let `task` show what was written. What the database worked out is read when somebody asks for it."""
    for name, value in columns.items():
        if hasattr(value, "resolve_expression"):
            task.__dict__.pop(name, None)
        else:
            setattr(task, name, value)


def _ending(to: Status) -> dict[str, Any]:
    if to not in states.FINAL:
        return {}
    return {
        "completed_at": clock.DatabaseNow(),
        "next_check_at": None,
        "deadline": None,
        "stage": "",
        "not_before": None,
        **RELEASED,
    }


def _waiting(to: Status, reason: WaitReason | None) -> dict[str, Any]:
    if to in states.FINAL or to == Status.RUNNING:
        return NO_REASON
    if reason is None:
        raise IllegalMove(f"A task that becomes {to} has to say why it waits.")
    return _reason_columns(reason)


def waiting_columns(reason: WaitReason) -> dict[str, Any]:
    """Return the columns of a row that begins to wait for this reason now."""
    return {
        "reason": reason.stored(),
        "reason_code": reason.code,
        "reason_since": clock.DatabaseNow(),
        "next_check_at": clock.In(seconds=reason.check_seconds),
        "deadline": _deadline(reason, clock.DatabaseNow()),
    }


def _reason_columns(reason: WaitReason) -> dict[str, Any]:
    since = Case(When(reason_code=reason.code, then=F("reason_since")), default=clock.DatabaseNow())
    return {**waiting_columns(reason), "reason_since": since, "deadline": _deadline(reason, since)}


def _deadline(reason: WaitReason, since: Combinable) -> datetime | Combinable | None:
    if reason.deadline is not None:
        return reason.deadline
    return None if reason.grace_seconds is None else since + clock.span(reason.grace_seconds)
