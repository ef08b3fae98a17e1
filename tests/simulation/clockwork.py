"""Time that stands still until somebody moves it, so that a schedule does the same on a slow machine and on a fast one."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_CLOCK = "CREATE OR REPLACE FUNCTION iac_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS "
_STANDING = _CLOCK + "$$ SELECT timestamptz '2030-01-01 00:00:00+00' + ahead FROM public.base_clock $$"
_REAL = _CLOCK + "$$ SELECT statement_timestamp() + ahead FROM public.base_clock $$"


@contextmanager
def standing() -> Iterator[None]:
    """Let the database's clock show what it is set to."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING)
    try:
        yield
    finally:
        show(0)
        with connection.cursor() as cursor:
            cursor.execute(_REAL)


def show(seconds: float) -> None:
    """Set the clock to so long after the start of the schedule."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE base_clock SET ahead = make_interval(secs => %s)", [seconds])
