"""The rows as they were when the stage was set, put back before each order within milliseconds; the time as well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from pools.models import K8sConfig, Pool
from tests import emptying

_KEPT = emptying.KEPT | {Pool._meta.db_table, K8sConfig._meta.db_table}
"""Nothing here changes a pool, and the one named local cannot be deleted."""


@contextmanager
def restored() -> Iterator[Callable[[], None]]:
    """Yield a function that makes all rows, and the database's clock, as they are now; in the end they are so again."""
    tables = sorted(set(connection.introspection.django_table_names(include_views=False)) - _KEPT)
    with connection.cursor() as cursor:
        full = [table for table in tables if _keep(table)]
        cursor.execute("SELECT iac_now()")
        restoring = _restoring(tables, full, f"'{cursor.fetchone()[0].isoformat()}'")
        try:
            yield lambda: _execute(restoring)
        finally:
            _execute(restoring)
            cursor.execute("; ".join(f"DROP TABLE kept_{table}" for table in full))


def _keep(table: str) -> bool:
    """Copy a table's rows; return whether there are any."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE kept_{table} AS TABLE {table}")
        if cursor.rowcount:
            return True
        cursor.execute(f"DROP TABLE kept_{table}")
        return False


def _restoring(tables: list[str], full: list[str], now: str) -> str:
    """Return one text, for one journey. Foreign keys and the rule that a history stays are checked at each commit."""
    gone = [f"DELETE FROM {table}" for table in tables]
    back = [f"INSERT INTO {table} TABLE kept_{table}" for table in full]
    clock = f"UPDATE base_clock SET ahead = {now} - statement_timestamp()"
    return "; ".join(["BEGIN", *gone, "COMMIT", "BEGIN", *back, clock, "COMMIT"])


def _execute(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)
