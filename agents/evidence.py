"""What a lost agent brought after its attempt was given up: kept, shown to people, and moving nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from tasks.models import Attempt, LateResult, LogChunk, Task, TaskEvent
from tasks.states import Status
from workspaces.models import KeptState


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One piece. `kind`: log, result or state; `text`: a sentence; `kept_state`: the number of a state kept aside."""

    kind: str
    phase: str
    attempt: int
    epoch: int
    at: datetime
    text: str
    kept_state: int | None = None


def of(task: Task) -> list[Evidence]:
    """Return what came late of the task's attempts, the oldest first; of whatever status the task is."""
    return sorted((each for kind in KINDS for each in KINDS[kind](task)), key=lambda each: each.at)


def late_chunks(task: Task) -> QuerySet[LogChunk]:
    """Return the pieces of log that came after their attempt was given up; none of one that ended by itself."""
    given_up = TaskEvent.objects.filter(
        task=OuterRef("attempt__task"), epoch=OuterRef("attempt__epoch"), after=Status.NEEDS_ATTENTION
    )
    over_at = Coalesce(Subquery(given_up.order_by("id").values("at")[:1]), F("attempt__ended_at"))
    lost = TaskEvent.objects.filter(task=task, after=Status.NEEDS_ATTENTION).values("epoch")
    attempts = Attempt.objects.filter(Q(epoch__in=lost) | Q(outcome__in=_GIVEN_UP), task=task)
    return LogChunk.objects.filter(attempt__in=attempts.values("pk"), at__gt=over_at).order_by()


_GIVEN_UP = ("interrupted", "lost", "cancelled")
"""Outcomes that we wrote; of one that its agent said, no log is late."""


def _logs(task: Task) -> Iterator[Evidence]:
    attempts, late = _attempts(task), late_chunks(task)
    for epoch, first, last in late.values_list("attempt__epoch").annotate(first=Min("offset"), last=Max("at")):
        attempt = attempts[epoch]
        size = attempt.log_stored - first
        text = f"{size:,} bytes of its log came after it was given up; the log holds them from byte {first:,} on."
        yield Evidence(kind="log", **_names(attempt), at=last, text=text)


def _results(task: Task) -> Iterator[Evidence]:
    for late in LateResult.objects.filter(attempt__task=task).select_related("attempt"):
        ended = f"{late.outcome}, exit status {late.exit_code}, after {late.seconds:.1f} s"
        text = f"Agent {late.attempt.agent_name} said late how it ended: {ended}. {late.error_message}".strip()
        yield Evidence(kind="result", **_names(late.attempt), at=late.at, text=text)


def _states(task: Task) -> Iterator[Evidence]:
    attempts = _attempts(task)
    for kept in KeptState.objects.filter(task_id=task.pk).defer("sealed_content"):
        what = f"A state of serial {kept.serial} with {kept.resources} resources ({kept.size:,} bytes)"
        text = f"{what} was not stored and is kept aside as number {kept.pk}. {kept.why}"
        yield Evidence(kind="state", **_names(attempts[kept.epoch]), at=kept.created_at, text=text, kept_state=kept.pk)


KINDS: Mapping[str, Callable[[Task], Iterator[Evidence]]] = {"log": _logs, "result": _results, "state": _states}
"""What gives the pieces of one kind."""


def _attempts(task: Task) -> dict[int, Attempt]:
    return {attempt.epoch: attempt for attempt in Attempt.objects.filter(task=task)}


def _names(attempt: Attempt) -> dict[str, Any]:
    return {"phase": attempt.phase, "attempt": attempt.number, "epoch": attempt.epoch}
