"""Which of our own processes were at work, and since when without a break."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Case, F, When
from django.db.models.functions import Least

from iacplatform.base import clock

SWEEP = "sweep"
FAILING = "failing:"
"""Begins the name of a step of the sweep that failed the last time; the beat goes when the step succeeds."""
BREAK_SECONDS = 15
"""A beat that comes later than this after the one before it starts a new run without a break."""

SILENT_SECONDS = 30
"""When nobody has swept for so long, nobody will: two turns of the slowest who does. Without a worker a web process
steps in after 10 s, and looks every 5 s."""


class Beats(models.QuerySet["Beat"]):
    def strike(self, name: str) -> None:
        """Write that `name` is at work now."""
        if not self.filter(name=name).update(unbroken_since=_unbroken(), at=clock.DatabaseNow()):
            self.bulk_create([Beat(name=name)], ignore_conflicts=True)

    def last_sweep(self) -> datetime | None:
        """Return when the sweep last looked at every task."""
        return self.filter(name=SWEEP).values_list("at", flat=True).first()

    def failing(self) -> "Beats":
        """Narrow to steps of the sweep that fail each time: the last time, and the time before."""
        lately = clock.In(seconds=-SILENT_SECONDS)
        return self.filter(name__startswith=FAILING, at__gt=lately, unbroken_since__lt=F("at"))

    def receiving_since(self) -> datetime | None:
        """Return since when web processes can store heartbeats without a break; None where none could lately."""
        web = self.filter(name__startswith="web:", at__gt=clock.In(seconds=-BREAK_SECONDS))
        return web.order_by("unbroken_since").values_list("unbroken_since", flat=True).first()

    def received_for(self, span: timedelta) -> bool:
        """Return whether some web process could store heartbeats during the whole of the last `span`."""
        lately = clock.In(seconds=-BREAK_SECONDS)
        since = clock.In(seconds=-span.total_seconds())
        return self.filter(name__startswith="web:", at__gt=lately, unbroken_since__lte=since).exists()


class Beat(models.Model):
    """`sweep`: when the sweep last looked. `web:<random>`: a web process that could store heartbeats until `at`.

    `failing:<step>`: a step of the sweep that failed the last time, at `at`.
    """

    name = models.CharField(primary_key=True, max_length=80)
    at = models.DateTimeField(db_default=clock.DatabaseNow())
    unbroken_since = models.DateTimeField(db_default=clock.DatabaseNow())

    objects = Beats.as_manager()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"


def _unbroken() -> Case:
    # A moment that is still to come was written before the database's clock was set back.
    in_time = When(at__gt=clock.In(seconds=-BREAK_SECONDS), then=Least(F("unbroken_since"), clock.DatabaseNow()))
    return Case(in_time, default=clock.DatabaseNow())
