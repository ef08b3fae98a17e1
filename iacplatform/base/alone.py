"""Doing something alone among all processes: an advisory lock of the database, which a lost process loses with it.

Nobody waits for it. It belongs to the connection, not to a transaction, so that it may be held while others are asked.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def trying(name: str) -> Iterator[bool]:
    """Yield whether nobody else holds `name`; then it is held until the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        is_held: bool = cursor.fetchone()[0]
        try:
            yield is_held
        finally:
            if is_held:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
