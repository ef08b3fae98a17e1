"""The safety net: everything that a lost hint, a dead process or the passing of time has left behind.

Looks by time, at all tasks, and may be repeated and interrupted without harm. With all hints lost, everything still
completes, one sweep later.
"""

import logging
from datetime import timedelta

from django.db import connection

from agents import dispatcher, protocol
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from tasks import attempts, recovery, scheduler
from tasks.models import Task
from tasks.states import Lease, Status

LOCK = "sweep"
KEEP_BEATS = timedelta(hours=1)

log = logging.getLogger(__name__)


def sweep() -> bool:
    """Look at everything once; return False when another process is doing that already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [LOCK])
        if not cursor.fetchone()[0]:
            return False
        try:
            _look_at_everything()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [LOCK])
    return True


def is_late(seconds: float) -> bool:
    """Return whether the last sweep is longer ago than this."""
    return not Beat.objects.filter(name=SWEEP, at__gt=clock.In(seconds=-seconds)).exists()


def _look_at_everything() -> None:
    for step in (_offers, _lost_agents, _reservations, _overtime, _queues, _runnable):
        try:
            step()
        except Exception:
            # One broken row must not keep the sweep from all the others.
            log.exception("A step of the sweep failed.", extra={"step": step.__name__})
    Beat.objects.strike(SWEEP)
    Beat.objects.filter(at__lt=clock.now() - KEEP_BEATS).delete()


def _offers() -> None:
    """Take back what was not accepted in time."""
    for task in Task.objects.filter(lease=Lease.OFFERED, lease_expires_at__lt=clock.DatabaseNow()):
        name = Agent.objects.filter(pk=task.agent_id).values_list("name", flat=True).first()
        cause = f"Agent {name} did not accept within {attempts.ACCEPT_SECONDS} s."
        recovery.slot_lost(task.pk, task.agent_id, cause=cause, last_seen=None)


def _lost_agents() -> None:
    """Give up on agents that were silent for a whole lease, while we could have heard them for as long."""
    if not Beat.objects.received_for(timedelta(seconds=protocol.LEASE_SECONDS)):
        return
    held = Task.objects.exclude(lease=Lease.NONE).values("agent_id")
    for agent in Agent.objects.expired().filter(agent_id__in=held):
        cause = f"Agent {agent.name} was not heard of for {protocol.LEASE_SECONDS} s."
        for task in Task.objects.leased_by(agent.pk):
            recovery.slot_lost(task.pk, agent.pk, cause=cause, last_seen=agent.last_seen_at)


def _reservations() -> None:
    """Let go of slots that were kept long enough."""
    for task in Task.objects.filter(lease=Lease.RESERVED, lease_expires_at__lt=clock.DatabaseNow()):
        recovery.slot_lost(
            task.pk, task.agent_id, cause="The slot was kept as long as the pool allows.", last_seen=None
        )


def _overtime() -> None:
    """Stop believing in phases that are long past their time-out."""
    for task in Task.objects.filter(status=Status.RUNNING, deadline__lt=clock.DatabaseNow()):
        cause = f"The {task.phase} is long past its time-out, and its agent did not end it."
        recovery.slot_lost(task.pk, task.agent_id, cause=cause, last_seen=None)


def _queues() -> None:
    """Let workspaces go on whose news was lost, and hold back what a lock forbids."""
    moving = Task.objects.filter(status__in=[Status.WAITING, Status.PENDING]).changing()
    for workspace_id in moving.values_list("workspace_id", flat=True).distinct().order_by():
        scheduler.advance(workspace_id)


def _runnable() -> None:
    """Dispatch every pool that has runnable tasks; what the fast path should have offered is counted."""
    for pool_id in Task.objects.runnable().pool_ids():
        missed = dispatcher.dispatch(pool_id, cause="sweep", most=None)
        if missed.offers:
            log.info("The sweep offered what the fast path had not.", extra=missed.log_fields())
