"""What is not as it should be with a task, though it is not stuck yet. Worked out when somebody looks; never stored."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from iacplatform.base import heartbeats
from iacplatform.base.models import SILENT_SECONDS
from tasks.states import Phase, Status

if TYPE_CHECKING:
    from tasks.models.task import Task

Told = dict[str, Any]

QUIET = timedelta(minutes=10)
"""An engine says something every ten seconds while it waits for a resource; a provider that hangs says nothing."""

SLOW_CANCEL = timedelta(minutes=1)
NEAR = 0.8
"""The part of its time-out after which a phase is warned of."""


def of(task: "Task") -> list[Told]:
    """Return `{"code", "message", "since"}` for each thing that is wrong; none for a row without its outlook."""
    if task.seen_at is None or task.is_final:
        return []
    return [warning for check in _CHECKS for warning in check(task, task.seen_at)]


def _warning(code: str, message: str, since: datetime) -> Told:
    return {"code": code, "message": message, "since": since}


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"


def _no_output(task: "Task", now: datetime) -> Iterator[Told]:
    last = task.output_at or task.begun_at
    if task.status == Status.RUNNING and last is not None and now - last > QUIET:
        message = f"The {task.phase} has said nothing for {_minutes(now - last)}: a provider may be hanging."
        yield _warning("no_output", message, last)


def _near_timeout(task: "Task", now: datetime) -> Iterator[Told]:
    if task.status != Status.RUNNING or task.begun_at is None:
        return
    allowed = _allowed(task)
    near, end = task.begun_at + NEAR * allowed, task.begun_at + allowed
    if now > end:
        message = f"The {task.phase} had {_minutes(allowed)}, until {_clock(end)}: its agent is ending it."
        yield _warning("past_timeout", message, end)
    elif now > near:
        message = (
            f"The {task.phase} has used {_minutes(now - task.begun_at)} of its {_minutes(allowed)}: at {_clock(end)} "
            "its engine is asked to stop."
        )
        yield _warning("near_timeout", message, near)


def _allowed(task: "Task") -> timedelta:
    place = task.workspace
    plans = task.phase == Phase.PLAN
    return timedelta(seconds=place.plan_timeout_seconds if plans else place.apply_timeout_seconds)


def _agent_silent(task: "Task", now: datetime) -> Iterator[Told]:
    heard, until = task.agent_seen_at, task.agent_lease_until
    if task.status != Status.RUNNING or heard is None or until is None:
        return
    if now - heard > timedelta(seconds=heartbeats.patience_seconds()):
        plans = task.phase == Phase.PLAN
        outcome = "the plan is tried again" if plans else "if it has begun to apply, a person has to look"
        message = f"Its agent was last heard of at {_clock(heard)}. At {_clock(until)} it is given up: {outcome}."
        yield _warning("agent_silent", message, heard)


def _cancel_slow(task: "Task", now: datetime) -> Iterator[Told]:
    asked = task.cancelled_at
    if task.status == Status.RUNNING and asked is not None and now - asked > SLOW_CANCEL:
        message = (
            f"It was asked to stop {_minutes(now - asked)} ago and still runs: its engine ends what it has begun. "
            "Force-cancel does not wait for it."
        )
        yield _warning("cancel_slow", message, asked)


def _unwatched(task: "Task", now: datetime) -> Iterator[Told]:
    """Of a task that moves without the sweep: one that waits for it says so by its reason."""
    if task.is_silent or task.status not in {Status.RUNNING, Status.APPLY_PENDING, Status.NEEDS_ATTENTION}:
        return
    since = task.last_look or task.created_at
    if now - since > timedelta(seconds=SILENT_SECONDS):
        heard = f"since {_clock(since)}" if task.last_look else "since it was created"
        message = f"No sweep has looked {heard}: an operator starts a worker (manage.py qcluster, or manage.py up)."
        yield _warning("scheduler_silent", message, since)


_CHECKS: tuple[Callable[["Task", datetime], Iterator[Told]], ...] = (
    _unwatched,
    _agent_silent,
    _no_output,
    _near_timeout,
    _cancel_slow,
)
