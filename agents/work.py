"""What an agent says that it runs, against what we believe that it runs: whoever is behind learns it here."""

from datetime import datetime

from django.db.models import F

from agents.models import Agent
from agents.protocol import Work
from iacplatform.base import clock
from tasks import recovery
from tasks.models import Attempt, Task
from tasks.states import Lease, Status

Pairs = set[tuple[int, int]]
"""Attempts by task and epoch."""

FORGOTTEN_SECONDS = 30
"""A running task that its agent has not listed for this long after it accepted is not known there any more."""


def take_stock(agent: Agent, listed: tuple[Work, ...]) -> tuple[Work, ...]:
    """Return what a connecting agent may go on with; what it runs no more is lost at once, not after a lease."""
    runs: Pairs = {(item.task, item.epoch) for item in listed}
    for task in Task.objects.leased_by(agent.pk):
        is_listed = task.lease == Lease.RUNNING and (task.pk, task.epoch) in runs
        if cause := "" if is_listed else _why_lost(task, agent):
            lose(task, agent.pk, cause, last_seen=agent.last_seen_at)
    going_on = _going_on(agent.pk, runs)
    return tuple(item for item in listed if (item.task, item.epoch) in going_on)


def compare(agent_id: str, listed: tuple[Work, ...]) -> list[Work]:
    """Return what is listed and not the agent's any more; lose what it forgot, hold again what was given up early."""
    runs: Pairs = {(item.task, item.epoch) for item in listed}
    _lose_forgotten(agent_id, runs)
    going_on = _going_on(agent_id, runs)
    return [item for item in listed if (item.task, item.epoch) not in going_on]


def lose(task: Task, agent_id: str, cause: str, *, last_seen: datetime | None = None) -> None:
    """Do what the table says of a task whose slot on this agent is gone."""
    recovery.slot_lost(task.pk, agent_id, cause=cause, last_seen=last_seen, seen=task)


def drain(agent_id: str, cause: str) -> None:
    """Let the agent take nothing new: it ends what it runs, and loses what it was only offered and what is kept."""
    Agent.objects.filter(pk=agent_id).update(draining=True)
    for task in Task.objects.leased_by(agent_id).exclude(lease=Lease.RUNNING):
        lose(task, agent_id, cause)


def _why_lost(task: Task, agent: Agent) -> str:
    if task.lease == Lease.RUNNING:
        return "The agent came back without it."
    if task.slot is not None and task.slot >= agent.capacity:
        return "The agent came back with fewer slots."
    return ""


def _lose_forgotten(agent_id: str, runs: Pairs) -> None:
    long_ago = clock.In(seconds=-FORGOTTEN_SECONDS)
    begun = {"attempts__epoch": F("epoch"), "attempts__accepted_at__lt": long_ago}
    for task in Task.objects.leased_by(agent_id).filter(lease=Lease.RUNNING, **begun):
        if (task.pk, task.epoch) not in runs:
            lose(task, agent_id, "The agent does not know of it any more.")


def _going_on(agent_id: str, runs: Pairs) -> Pairs:
    """Return which of these attempts are still the agent's; a lost apply that it still runs holds its slot again.

    A result may come for an attempt that has not ended, even when its lease is gone (`needs_attention`).
    """
    if not runs:
        return set()
    current = Attempt.objects.filter(agent_id=agent_id, ended_at=None, task__epoch=F("epoch"))
    rows = current.filter(task_id__in=[task_id for task_id, _ in runs])
    pairs = {(attempt.task_id, attempt.epoch): attempt.task for attempt in rows.select_related("task")}
    for task_id, epoch in pairs.keys() & runs:
        task = pairs[task_id, epoch]
        if task.status == Status.NEEDS_ATTENTION and task.lease == Lease.NONE:
            recovery.slot_regained(task_id, epoch, agent_id)
    return pairs.keys() & runs
