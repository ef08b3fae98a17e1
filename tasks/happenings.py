"""What the rows of this layer, and of those below, say of a task's past: the sources of its timeline."""

from collections.abc import Sequence
from typing import Any

from iacplatform.base import actors
from tasks.models import Attempt, Plan, Task, TaskEvent
from tasks.states import Event, Status
from tasks.timeline import Entries, Entry, Kind, Source
from workspaces.models import StateLock, StateVersion

_KINDS = {
    Event.OFFERED: Kind.OFFER,
    Event.ACCEPTED: Kind.ACCEPT,
    Event.RESERVATION_ENDED: Kind.RESERVATION,
    Event.LOCK_RELEASED: Kind.STATE,
    Event.DISPATCH_FAILED: Kind.FAILURE,
}
_OF_PLANS = frozenset({Event.PLANNED, Event.UNCHANGED, Event.AUTO_APPLY, Event.CONFIRM})
_TELL_THE_END = frozenset(
    {
        Event.PLANNED,
        Event.UNCHANGED,
        Event.AUTO_APPLY,
        Event.APPLIED,
        Event.REFUSED,
        Event.INTERRUPTED,
        Event.LOST,
        Event.CANCELLED,
    }
)
"""Moves that the end of an engine may have made; people's, and what comes after it, say nothing of how it ended."""
_ENDED_BEFORE = frozenset({Event.LAPSED, Event.INTERRUPTED, Event.STALE})
"""Moves that end an attempt under a new epoch: the attempt's is the one before."""


def _moves(task: Task, rows: Sequence[Any]) -> Entries:
    events = TaskEvent.objects.filter(pk__in=rows)
    epochs = {_epoch(event) for event in events}
    attempts = {each.epoch: each for each in Attempt.objects.filter(task=task, epoch__in=epochs).select_related("plan")}
    return {event.pk: _move(task, event, attempts.get(_epoch(event))) for event in events}


def _epoch(event: TaskEvent) -> int:
    """Return the epoch of the attempt that the move is about."""
    return event.epoch - 1 if event.event in _ENDED_BEFORE else event.epoch


def _move(task: Task, event: TaskEvent, attempt: Attempt | None) -> Entry:
    return Entry(
        at=event.at,
        kind=_KINDS.get(Event(event.event), Kind.MOVE),
        text=_sentence(task, event, attempt),
        actor=event.actor,
        cause=event.reason,
        attempt=attempt.number if attempt else event.attempt or None,
        epoch=_epoch(event) or None,
    )


def _sentence(task: Task, event: TaskEvent, attempt: Attempt | None) -> str:
    what = f"{Event(event.event).label.capitalize()}"
    if event.event == Event.CREATED and task.retried_from_id:
        what = f"Created, to do task {task.retried_from_id} again"
    moved = event.before and event.before != event.after
    arrow = f": {_word(event.before)} → {_word(event.after)}" if moved else ""
    return f"{what}{arrow}.{_facts(event, attempt)}"


def _word(status: str) -> str:
    return Status(status).label.lower()


def _facts(event: TaskEvent, attempt: Attempt | None) -> str:
    """Return what the attempt's own row adds: where it ran, how its engine ended, which plan it made."""
    if attempt is None:
        return ""
    if event.event in {Event.OFFERED, Event.ACCEPTED}:
        return f" {_name(attempt)}, on slot {attempt.slot} of agent {attempt.agent_name}."
    plan: Plan | None = getattr(attempt, "plan", None)
    digest = f" Plan {plan.digest}." if plan and event.event in _OF_PLANS else ""
    return f"{_end(event, attempt)}{digest}"


def _end(event: TaskEvent, attempt: Attempt) -> str:
    had_ended = attempt.ended_at is not None and attempt.ended_at <= event.at
    if attempt.exit_code is None or not had_ended or event.event not in _TELL_THE_END:
        return ""
    return f" Exit status {attempt.exit_code} after {attempt.seconds:.1f} s."


def _name(attempt: Attempt) -> str:
    return f"{attempt.get_phase_display()} attempt {attempt.number}"


def _permits(task: Task, rows: Sequence[Any]) -> Entries:
    return {each.pk: _permit(each) for each in Attempt.objects.filter(pk__in=rows)}


def _permit(attempt: Attempt) -> Entry:
    return _of_attempt(
        attempt, Kind.PERMIT, attempt.permitted_at, "Permitted to apply: from here on it may change things."
    )


def _reservations(task: Task, rows: Sequence[Any]) -> Entries:
    return {each.pk: _reservation(each) for each in Attempt.objects.filter(pk__in=rows)}


def _reservation(attempt: Attempt) -> Entry:
    until = f"until {attempt.kept_until:%Y-%m-%d %H:%M:%S} UTC" if attempt.kept_until else ""
    text = f"Slot {attempt.slot} of agent {attempt.agent_name} is kept for the apply {until}."
    return _of_attempt(attempt, Kind.RESERVATION, attempt.ended_at, text)


def _of_attempt(attempt: Attempt, kind: Kind, at: Any, text: str) -> Entry:
    actor = actors.agent(attempt.agent_name)
    return Entry(at=at, kind=kind, text=text, actor=actor, attempt=attempt.number, epoch=attempt.epoch)


def _states(task: Task, rows: Sequence[Any]) -> Entries:
    stored = StateVersion.objects.filter(pk__in=rows).defer("sealed_content")
    return {each.pk: _state(each) for each in stored}


def _state(version: StateVersion) -> Entry:
    text = f"State serial {version.serial} is stored, with {version.resources} resources."
    return Entry(at=version.created_at, kind=Kind.STATE, text=text, actor=version.created_by)


def _locks(task: Task, rows: Sequence[Any]) -> Entries:
    return {each.epoch: _lock(each) for each in StateLock.objects.filter(task_id=task.pk, epoch__in=rows)}


def _lock(held: StateLock) -> Entry:
    text = f"It took the state lock {held.lock_id}, and holds it still."
    return Entry(at=held.created_at, kind=Kind.STATE, text=text, actor=held.holder, epoch=held.epoch)


def _retries(task: Task, rows: Sequence[Any]) -> Entries:
    return {each.pk: _retry(each) for each in Task.objects.filter(pk__in=rows).select_related("created_by")}


def _retry(new: Task) -> Entry:
    actor = actors.user(new.created_by) if new.created_by else ""
    text = f"Task {new.pk} does it again."
    return Entry(at=new.created_at, kind=Kind.RETRY, text=text, actor=actor, cause=new.description)


SOURCES = (
    Source(rows=lambda task: TaskEvent.objects.filter(task=task), at="at", read=_moves),
    Source(
        rows=lambda task: Attempt.objects.filter(task=task, permitted_at__isnull=False),
        at="permitted_at",
        read=_permits,
    ),
    Source(
        rows=lambda task: Attempt.objects.filter(task=task, kept_until__isnull=False), at="ended_at", read=_reservations
    ),
    Source(
        rows=lambda task: StateVersion.objects.filter(workspace_id=task.workspace_id, task_id=task.pk),
        at="created_at",
        read=_states,
    ),
    Source(
        rows=lambda task: StateLock.objects.filter(workspace_id=task.workspace_id, task_id=task.pk),
        at="created_at",
        key="epoch",
        read=_locks,
    ),
    Source(rows=lambda task: Task.objects.filter(retried_from=task), at="created_at", read=_retries),
)
"""In this order where two happened at once."""
