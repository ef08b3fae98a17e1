"""Our own work in django-q2: the chain of sweeps, and the schedule that starts it again where it broke.

A chain has a name, which its links carry and a beat keeps: a link whose chain has been replaced queues no next one. So
there is one chain, however often it is started, and whatever django-q2 delivers again after a worker was killed.
"""

import secrets
import time
from datetime import datetime, timedelta

from django.db import connection, transaction
from django_q.models import Schedule
from django_q.tasks import async_task

from agents import sweep
from iacplatform.base import clock
from iacplatform.base.models import SILENT_SECONDS, Beat

SWEEP_SECONDS = 2
CHAIN = "agents.jobs.sweep_on"
CHAIN_BEAT = "sweep chain"
RESTART = "agents.jobs.start_sweeping"


def sweep_on(chain: str = "") -> None:
    """Sweep, rest, and queue the next link: django-q2's own schedules tick every 30 s at best."""
    if not Beat.objects.filter(name=chain).update(at=clock.DatabaseNow()):
        return
    try:
        sweep.sweep()
        time.sleep(SWEEP_SECONDS)
    finally:
        _queue_next(chain)


def start_sweeping() -> None:
    """Start a chain where none goes on."""
    with transaction.atomic():
        _one_starter_at_a_time()
        chains = Beat.objects.filter(name__startswith=CHAIN_BEAT)
        # Not by the last sweep: a web process sweeps as well where the chain is broken, which would hide that it is.
        if not chains.filter(at__gt=clock.In(seconds=-5 * SWEEP_SECONDS)).exists():
            chains.delete()
            _queue_next(Beat.objects.create(name=f"{CHAIN_BEAT} {secrets.token_hex(8)}").name)


def last_link() -> datetime | None:
    """Return when a worker last began to sweep; None where none did within the last hour."""
    links = Beat.objects.filter(name__startswith=CHAIN_BEAT).order_by("-at")
    return links.values_list("at", flat=True).first()


def worker_is_silent() -> bool:
    """Return whether no worker sweeps, whoever does it in its place."""
    last = last_link()
    return last is None or last < clock.now() - timedelta(seconds=SILENT_SECONDS)


def plan_sweeping() -> None:
    """See to it that the chain begins, and that the schedule exists which keeps it alive."""
    every_minute = {"func": RESTART, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    Schedule.objects.get_or_create(name="sweep", defaults=every_minute)
    start_sweeping()


def _queue_next(chain: str) -> None:
    # A row for each success would be 43,000 a day that say nothing; failures are kept.
    async_task(CHAIN, chain, group="sweep", save=False)


def _one_starter_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('sweep chain', 0))")
