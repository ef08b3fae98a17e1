"""What watchers ask: is it alive, is it ready, and numbers for Prometheus. No login is needed, and no name is said."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents import jobs, sweep
from agents.models import Agent
from iacplatform import pool_metrics
from iacplatform.base import clock
from iacplatform.base.models import SILENT_SECONDS, Beat
from tasks.models import Task
from tasks.states import LIVE, Lease, Status

SILENT = "The database does not answer."
SILENT_AFTER = timedelta(seconds=90)
"""The sweep's chain is started again every minute; later than this, nobody works."""


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer that this process is alive; it asks nothing else."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when work can be done, else 503; either way with each check's words."""
    found = {name: _asked(check) for name, check in CHECKS.items()}
    ready = all(fault == "" for fault in found.values())
    checks = {name: fault or "ok" for name, fault in found.items()}
    return JsonResponse({"status": "ok" if ready else "not_ready", "checks": checks}, status=200 if ready else 503)


def _asked(check: Callable[[], str]) -> str:
    try:
        return check()
    except DatabaseError:
        return SILENT


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} migrations are not applied: run manage.py migrate." if missing else ""


def _worker() -> str:
    last = Beat.objects.last_sweep()
    if last is None:
        return "The sweep has never run: start a worker with manage.py qcluster."
    age = clock.now() - last
    return f"The last sweep is {age.total_seconds():.0f} s old: see to the worker." if age > SILENT_AFTER else ""


def _stuck() -> str:
    broken = Task.objects.breaking_the_promise().count()
    return f"Tasks that lack a reason, an owner or a next look: {broken}. Run manage.py doctor." if broken else ""


CHECKS = {"database": _database, "migrations": _migrations, "worker": _worker, "stuck": _stuck}


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with numbers read from the database at this moment, the same from every process; 503 without it."""
    registry = CollectorRegistry()
    try:
        registry.register(Rows())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return HttpResponse(f"{SILENT}\n", status=503, content_type="text/plain; charset=utf-8")


class Rows(Collector):
    """The numbers: every one a query, none with a label that could grow. `docs/watching.md` says what each means."""

    def collect(self) -> Iterator[Metric]:
        """Yield each metric."""
        yield _tasks()
        yield _leases()
        yield _gauge(
            "iac_tasks_stuck", "Tasks that need help or are past their deadline.", Task.objects.stuck().count()
        )
        yield _gauge("iac_tasks_unexplained", "Tasks without a reason; never above 0.", _unexplained())
        yield _gauge("iac_tasks_warned", "Running tasks of which something is not as it should be.", _warned())
        yield _gauge("iac_agents_connected", "Agents with a live session.", Agent.objects.connected().count())
        yield _gauge("iac_slots", "Slots of connected agents.", _slots())
        yield _gauge("iac_sweep_age_seconds", "Seconds since the last sweep; -1: never.", _sweep_age_seconds())
        is_silent = sweep.is_late(SILENT_SECONDS)
        yield _gauge("iac_scheduler_silent", "1 while nobody looks at the tasks, else 0.", is_silent)
        yield _gauge("iac_worker_silent", "1 while no worker looks at the tasks, else 0.", jobs.worker_is_silent())
        failing = Beat.objects.failing().count()
        yield _gauge("iac_sweep_steps_failing", "Steps of the sweep that fail each time; never above 0.", failing)
        yield from pool_metrics.collect()


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=value)


def _tasks() -> Metric:
    # Only live ones: counting millions of finished rows would make each scrape dearer than the last.
    family = GaugeMetricFamily("iac_tasks", "Tasks that are not final, by status.", labels=["status"])
    rows = Task.objects.live().order_by().values_list("status").annotate(Count("pk"))
    found = dict(rows)
    for status in sorted(LIVE):
        family.add_metric([status.value], found.get(status.value, 0))
    return family


def _leases() -> Metric:
    family = GaugeMetricFamily("iac_leases", "Slots that tasks hold, by kind of lease.", labels=["lease"])
    held = Task.objects.exclude(lease=Lease.NONE).order_by().values_list("lease").annotate(Count("pk"))
    found = dict(held)
    for lease in (Lease.OFFERED, Lease.RUNNING, Lease.RESERVED):
        family.add_metric([lease.value], found.get(lease.value, 0))
    return family


def _unexplained() -> int:
    return Task.objects.breaking_the_promise().count()


def _warned() -> int:
    # Only running ones have such warnings: there are never more of them than slots.
    running: Any = Task.objects.filter(status=Status.RUNNING).with_outlook()
    return sum(1 for task in running if task.warnings)


def _slots() -> int:
    return Agent.objects.connected().aggregate(slots=Sum("capacity"))["slots"] or 0


def _sweep_age_seconds() -> float:
    last = Beat.objects.last_sweep()
    return -1.0 if last is None else (clock.now() - last).total_seconds()
