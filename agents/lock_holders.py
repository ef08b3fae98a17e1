"""Who holds a state lock, and whether they live. The one place that judges: who offers, refuses or explains asks here.

A lock is *orphaned* when the attempt that took it is over, or is lost together with its agent. It is *alive* while an
agent has that attempt in hand. Of what is neither nobody here can tell: another program's lock, or an engine that may
have outlived its agent.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When

from agents.models import Agent
from iacplatform.base import clock
from tasks.models import Attempt, Task
from tasks.states import FINAL, Lease, Status
from workspaces.models import StateLock


class Life(StrEnum):
    """What is known of a lock's holder."""

    ALIVE = "alive"
    ORPHANED = "orphaned"
    UNKNOWN = "unknown"
    NONE = "none"
    """There is no lock."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Whether a lock's holder lives, since when that is so (None: not known), and a sentence for people."""

    life: Life
    since: datetime | None
    text: str


NOBODY = Holder(life=Life.NONE, since=None, text="The state is not locked.")


def of(held: StateLock | None) -> Holder:
    """Return what is known of the lock's holder, by the rows as they are now."""
    row = None if held is None else judged().filter(pk=held.pk).first()
    return NOBODY if row is None else _shown(row, Life(row.life))


def judged() -> QuerySet[Any]:
    """Return all state locks, each with `life`."""
    heard = Exists(Agent.objects.filter(pk=OuterRef("agent_id"), lease_until__gt=clock.DatabaseNow()))
    its = Attempt.objects.filter(task_id=OuterRef("task_id"), epoch=OuterRef("epoch"))
    open_one = its.filter(ended_at=None, task__epoch=F("epoch")).exclude(task__status__in=FINAL)
    lost = open_one.filter(~heard, task__status=Status.NEEDS_ATTENTION)
    life = Case(
        When(task_id=None, then=Value(Life.UNKNOWN.value)),
        When(~Exists(open_one), then=Value(Life.ORPHANED.value)),
        When(Exists(open_one.filter(heard, task__lease=Lease.RUNNING)), then=Value(Life.ALIVE.value)),
        When(Exists(lost), then=Value(Life.ORPHANED.value)),
        default=Value(Life.UNKNOWN.value),
    )
    return StateLock.objects.annotate(life=life)


def _shown(held: StateLock, life: Life) -> Holder:
    if held.task_id is None:
        return Holder(life=life, since=None, text=_outside(held))
    attempt = Attempt.objects.filter(task_id=held.task_id, epoch=held.epoch or 0).select_related("task").first()
    if attempt is None:
        return Holder(life=life, since=None, text=f"The state is locked by {held.holder}, which is no more.")
    agent = Agent.objects.filter(pk=attempt.agent_id).first()
    if life == Life.ALIVE:
        return Holder(life=life, since=attempt.accepted_at, text=_alive(attempt))
    if life == Life.ORPHANED:
        return _orphaned(attempt, agent)
    return Holder(life=life, since=agent.last_seen_at if agent else None, text=_unknown(attempt.task, attempt, agent))


def _outside(held: StateLock) -> str:
    return (
        f"The state is locked by {held.holder}, outside of the platform: wait for that run. If it is dead, its "
        f"owner lets go with: terraform force-unlock {held.lock_id}"
    )


def _alive(attempt: Attempt) -> str:
    return (
        f"The state is locked by task {attempt.task_id}, whose agent {attempt.agent_name} is at work on it: wait for "
        "its end, or cancel it."
    )


def _orphaned(attempt: Attempt, agent: Agent | None) -> Holder:
    held = f"The state is locked by task {attempt.task_id}"
    if attempt.ended_at is not None:
        return Holder(life=Life.ORPHANED, since=attempt.ended_at, text=f"{held}, whose run is over.")
    heard = f" since {agent.last_seen_at:%Y-%m-%d %H:%M:%S} UTC" if agent and agent.last_seen_at else " any more"
    text = f"{held}, and its agent {attempt.agent_name} was not heard of{heard}."
    return Holder(life=Life.ORPHANED, since=agent.last_seen_at if agent else None, text=text)


def _unknown(task: Task, attempt: Attempt, agent: Agent | None) -> str:
    held = f"The state is locked by task {task.pk}, which is {task.position.label}"
    if task.status != Status.NEEDS_ATTENTION:
        return f"{held} and whose agent may still be at work: wait for its end, or cancel it."
    if agent is not None and agent.session:
        return (
            f"{held}. Its agent {attempt.agent_name} is connected and does not know of it any more, but an engine may "
            "have outlived its agent: look on that host, then mark the task as failed, which lets go of the lock."
        )
    return (
        f"{held} and whose agent may still be at work: wait until it was silent for a whole lease, or mark the task as "
        "failed, which lets go of the lock."
    )
