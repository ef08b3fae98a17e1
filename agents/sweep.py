"""The safety net: everything that a lost hint, a dead process or the passing of time has left behind.

Looks by time, at all tasks, and may be repeated and interrupted without harm, by several at once too: the lock only
saves work. With all hints lost, everything still completes, one sweep later.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction

from agents import dispatcher, gates, silences, work
from agents.candidates import Candidate
from agents.capacity import Capacity
from agents.fleet import jobs as fleet_jobs
from agents.models import Agent
from iacplatform.base import alone, clock
from iacplatform.base.models import FAILING, SWEEP, Beat
from tasks import attempts, moves, plans, scheduler
from tasks.models import Task
from tasks.states import Lease, Status

LOCK = "sweep"
STALLED_SECONDS = 30
"""After so much silence whoever holds the lock is taken to be stalled, and others sweep beside it."""

KEEP_BEATS = timedelta(hours=1)

Row = TypeVar("Row")

log = logging.getLogger(__name__)


class RowsFailed(Exception):
    """So many rows could not be dealt with."""


def sweep() -> bool:
    """Look at everything once; return False when another process is doing that already."""
    with alone.trying(LOCK) as is_ours:
        if is_ours or is_late(STALLED_SECONDS):
            _look_at_everything()
            return True
    return False


def is_late(seconds: float) -> bool:
    """Return whether the last sweep is longer ago than this."""
    return not Beat.objects.filter(name=SWEEP, at__gt=clock.In(seconds=-seconds)).exists()


def _look_at_everything() -> None:
    could_hear = Beat.objects.received_for(timedelta(seconds=settings.AGENT_LEASE_SECONDS))
    # An outage of ours is not the agents' death: they are given up only after we could have heard them.
    steps = [
        _offers,
        *([_lost_agents, _overtime] if could_hear else []),
        _reservations,
        _queues,
        _plans,
        _runnable,
        _fleets,
    ]
    outcomes = {FAILING + step.__name__.strip("_"): _try(step) for step in steps}
    Beat.objects.strike(SWEEP)
    _note(outcomes)
    Beat.objects.filter(at__lt=clock.now() - KEEP_BEATS).delete()
    _try(silences.forget_old)


def _note(outcomes: dict[str, bool]) -> None:
    """Keep which steps failed, by the names of their beats: that somebody sweeps must not hide it."""
    Beat.objects.filter(name__in=[name for name, succeeded in outcomes.items() if succeeded]).delete()
    for name, succeeded in outcomes.items():
        if not succeeded:
            Beat.objects.strike(name)


def _try(step: Callable[[], None]) -> bool:
    """Do the step; return whether it succeeded, with every row."""
    try:
        step()
    except Exception:
        log.exception("A step of the sweep failed.", extra={"step": step.__name__})
        return False
    return True


def _each(rows: Iterable[Row], act: Callable[[Row], object]) -> None:
    """Deal with every row: a broken one must not keep the sweep from the others. Raises `RowsFailed` in the end."""
    failed = 0
    for row in rows:
        try:
            act(row)
        except Exception:
            failed += 1
            log.exception("The sweep could not deal with a row.", extra={"row": str(row), "act": act.__name__})
    if failed:
        raise RowsFailed(failed)


def _offers() -> None:
    """Take back what was not accepted in time."""
    _each(Task.objects.filter(lease=Lease.OFFERED, lease_expires_at__lt=clock.DatabaseNow()), _take_back)


def _take_back(task: Task) -> None:
    name = Agent.objects.filter(pk=task.agent_id).values_list("name", flat=True).first()
    work.lose(task, task.agent_id, f"Agent {name} did not accept within {attempts.ACCEPT_SECONDS} s.")


def _lost_agents() -> None:
    """Give up on agents that were silent for a whole lease."""
    held = Task.objects.exclude(lease=Lease.NONE).values("agent_id")
    _each(Agent.objects.expired().filter(agent_id__in=held), _give_up)


def _give_up(agent: Agent) -> None:
    cause = f"Agent {agent.name} was not heard of for {settings.AGENT_LEASE_SECONDS} s."
    with transaction.atomic():
        # It may be coming back in this very moment: then it waits for this, or is passed over here.
        held = Agent.objects.select_for_update(skip_locked=True, no_key=True)
        for gone in held.expired().filter(pk=agent.pk):
            for task in Task.objects.leased_by(gone.pk):
                work.lose(task, gone.pk, cause, last_seen=gone.last_seen_at)
            silences.give_up(gone)


def _overtime() -> None:
    """Stop believing in phases that are long past their time-out."""
    _each(Task.objects.filter(status=Status.RUNNING, deadline__lt=clock.DatabaseNow()), _end_overtime)


def _end_overtime(task: Task) -> None:
    work.lose(task, task.agent_id, f"The {task.phase} is long past its time-out, and its agent did not end it.")


def _reservations() -> None:
    """Let go of slots that were kept long enough."""
    _each(Task.objects.filter(lease=Lease.RESERVED, lease_expires_at__lt=clock.DatabaseNow()), _end_reservation)


def _end_reservation(task: Task) -> None:
    work.lose(task, task.agent_id, "The slot was kept as long as the pool allows.")


def _queues() -> None:
    """Let workspaces go on whose news was lost, and hold back what a lock forbids."""
    misplaced = Task.objects.misplaced().order_by().values_list("workspace_id", flat=True)
    _each(misplaced.distinct(), _advance)


def _advance(workspace_id: str) -> None:
    log.warning("The sweep found a queue that news should have moved.", extra={"workspace": workspace_id})
    scheduler.advance(workspace_id)


def _plans() -> None:
    """Say of plans that wait for their reader whether they are stale, where the news of a state was lost."""
    _each(plans.misjudged(), _judge_again)


def _judge_again(task: Task) -> None:
    reason = gates.confirmation(Candidate(task, Capacity(pool=None, now=clock.now())))
    if reason is not None and moves.explain_wait(task, reason):
        log.warning("The sweep found a plan that news should have judged.", extra=task.log_fields())


def _runnable() -> None:
    """Dispatch every pool that has runnable tasks; what the fast path should have offered is counted."""
    _each(Task.objects.runnable().pool_ids(), _dispatch)


def _dispatch(pool_id: str | None) -> None:
    done = dispatcher.dispatch_all(pool_id, cause="sweep")
    if done.overdue:
        log.warning("The sweep offered what the fast path should have.", extra=done.log_fields())


def _fleets() -> None:
    """Have clusters looked at; none is asked here, as one that hangs must not hold up the sweep."""
    fleet_jobs.ask_where_due()
