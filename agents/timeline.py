"""A task's timeline with what only this layer knows: when the agents that had it in hand were silent."""

from collections.abc import Sequence
from typing import Any

from django.db.models import DateTimeField, Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from agents.models import Silence
from iacplatform.base import actors, clock
from tasks import happenings
from tasks.models import Attempt, Task
from tasks.timeline import Entries, Entry, Kind, Source, Timeline

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
        text = f"Agent {name} was not heard of again."
    else:
        seconds = (row.heard_at - row.silent_from).total_seconds()
        text = f"Agent {name} was not heard for {seconds:.0f} s, until {row.heard_at:%Y-%m-%d %H:%M:%S} UTC."
    cause = f"{row.get_cause_display().capitalize()}."
    return Entry(at=row.silent_from, kind=Kind.HEARTBEAT_GAP, text=text, actor=actors.agent(name), cause=cause)


SOURCES = (*happenings.SOURCES, Source(rows=_silences_of, at="silent_from", read=_silences))
