"""A task's timeline with what only this layer knows: when its agents were silent, and what they brought late."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import DateTimeField, Exists, F, Max, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from agents import evidence
from agents.evidence import Evidence
from agents.models import Silence
from agents.models.silence import Cause
from iacplatform.base import actors, clock
from tasks import happenings
from tasks.models import Attempt, LateResult, Task
from tasks.timeline import Entries, Entry, Kind, Source, Timeline
from workspaces.models import KeptState

MOST = 200
"""Entries on one page."""


def whole(task: Task) -> Timeline:
    """Return the task's timeline, to be read in parts."""
    return Timeline(task, SOURCES)


def of(task: Task) -> list[Entry]:
    """Return what happened to the task, oldest first: everything, or the newest 200 entries."""
    return whole(task).newest(MOST)


def _silences_of(task: Task) -> QuerySet[Any]:
    """Return the silences of an agent while it had an attempt of this task."""
    # One that nobody ended may still be at work.
    until = Coalesce(F("ended_at"), clock.DatabaseNow(), output_field=DateTimeField())
    heard = Coalesce(OuterRef("heard_at"), clock.DatabaseNow(), output_field=DateTimeField())
    theirs = Attempt.objects.filter(task=task, agent_id=OuterRef("agent_id"), offered_at__lt=heard)
    overlapping = theirs.annotate(until=until).filter(until__gt=OuterRef("silent_from"))
    agents = Attempt.objects.filter(task=task).values("agent_id")
    return Silence.objects.filter(Exists(overlapping), agent_id__in=agents)


def _silences(task: Task, rows: Sequence[Any]) -> Entries:
    return {each.pk: _silence(each) for each in Silence.objects.filter(pk__in=rows).select_related("agent")}


def _silence(row: Silence) -> Entry:
    name = row.agent.name
    if row.heard_at is None:
        text = f"No heartbeat of agent {name} came after this one."
    else:
        seconds = (row.heard_at - row.silent_from).total_seconds()
        text = f"No heartbeat of agent {name} came for {seconds:.0f} s, until {row.heard_at:%Y-%m-%d %H:%M:%S} UTC."
    cause = f"{row.get_cause_display().capitalize()}."
    who = actors.WEB if row.cause == Cause.OURS else actors.agent(name)
    return Entry(at=row.silent_from, kind=Kind.HEARTBEAT_GAP, text=text, actor=who, cause=cause)


def _late_logs(task: Task) -> QuerySet[Any, Any]:
    """Return the late logs by epoch."""
    return evidence.late_chunks(task).values("attempt__epoch")


def _reader(kind: str) -> Callable[[Task, Sequence[Any]], Entries]:
    """Return what reads the evidence of this kind; a kept state is named by its number, all else by its epoch."""

    def read(task: Task, rows: Sequence[Any]) -> Entries:
        found = {each.kept_state or each.epoch: each for each in evidence.KINDS[kind](task)}
        return {key: _piece(each) for key, each in found.items() if key in rows}

    return read


def _piece(found: Evidence) -> Entry:
    return Entry(at=found.at, kind=Kind.EVIDENCE, text=found.text, attempt=found.attempt, epoch=found.epoch)


SOURCES = (
    *happenings.SOURCES,
    Source(rows=_silences_of, at="silent_from", read=_silences),
    Source(
        rows=lambda task: LateResult.objects.filter(attempt__task=task),
        at="at",
        key="attempt__epoch",
        read=_reader("result"),
    ),
    Source(
        rows=lambda task: KeptState.objects.filter(workspace_id=task.workspace_id, task_id=task.pk),
        at="created_at",
        read=_reader("state"),
    ),
    Source(rows=_late_logs, at=Max("at"), key="attempt__epoch", read=_reader("log")),
)
"""In this order where two happened at once."""
