"""Our own work in django-q2: the chain of sweeps, and the schedule that starts it again where it broke."""

import time

from django.db import connection
from django_q.models import Schedule
from django_q.tasks import async_task

from agents import sweep
from iacplatform.base import clock
from iacplatform.base.models import Beat

SWEEP_SECONDS = 2
CHAIN = "agents.jobs.sweep_on"
CHAIN_BEAT = "sweep chain"
RESTART = "agents.jobs.start_sweeping"


def sweep_on() -> None:
    """Sweep, rest, and queue the next one: django-q2's own schedules tick every 30 s at best.

    Where another chain is at it, this one ends: there is one chain, however many were started.
    """
    if not _is_the_only_chain():
        return
    try:
        Beat.objects.strike(CHAIN_BEAT)
        sweep.sweep()
        time.sleep(SWEEP_SECONDS)
    finally:
        _let_go()
        _queue_next()


def start_sweeping() -> None:
    """Start the chain where it broke; does nothing while it goes on."""
    # Not by the last sweep: a web process sweeps as well where the chain is broken, which would hide that it is.
    if not Beat.objects.filter(name=CHAIN_BEAT, at__gt=clock.In(seconds=-5 * SWEEP_SECONDS)).exists():
        _queue_next()


def plan_sweeping() -> None:
    """See to it that the chain begins, and that the schedule exists which keeps it alive."""
    every_minute = {"func": RESTART, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    Schedule.objects.get_or_create(name="sweep", defaults=every_minute)
    start_sweeping()


def _queue_next() -> None:
    # A row for each success would be 43,000 a day that say nothing; failures are kept.
    async_task(CHAIN, group="sweep", save=False)


def _is_the_only_chain() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('sweep chain', 0))")
        return bool(cursor.fetchone()[0])


def _let_go() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(hashtextextended('sweep chain', 0))")
