"""Time is the database's clock, read through the SQL function `iac_now()`, which tests can move."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, DurationField, Func, Value


class DatabaseNow(Func):
    """`iac_now()` in a query, or as a column's default."""

    function = "iac_now"
    template = "%(function)s()"
    output_field = DateTimeField()

    def __init__(self, **extra: Any) -> None:
        super().__init__(**extra)


def span(seconds: float) -> Value:
    """Return a length of time for a query."""
    return Value(timedelta(seconds=seconds), output_field=DurationField())


class In(Func):
    """`iac_now()` plus a span, in a query."""

    template = "(iac_now() + %(expressions)s)"
    output_field = DateTimeField()

    def __init__(self, *, seconds: float) -> None:
        super().__init__(span(seconds))


def now() -> datetime:
    """Return the database's time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT iac_now()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def shift(by: timedelta) -> None:
    """Move the clock of every session of this database: for tests."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE base_clock SET ahead = ahead + make_interval(secs => %s)", [by.total_seconds()])
