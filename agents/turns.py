"""Whose turn a pool is: whoever gives out its slots, or takes them away, does it alone.

An advisory lock of the database, held for one transaction; a lost process loses it with its connection.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import connection


def wait(pool_id: str | None) -> datetime:
    """Wait for one's turn at the pool; return the database's time then. `lock_timeout` bounds the wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)), iac_now()", [_key(pool_id)])
        now: datetime = cursor.fetchone()[1]
        return now


def without_waiting(pool_ids: Collection[str]) -> set[str]:
    """Take the turn of each pool at which nobody is right now, and return those: one pool never waits for another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, pg_try_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) AS key",
            [[_key(pool_id) for pool_id in pool_ids]],
        )
        taken = {key for key, is_taken in cursor.fetchall() if is_taken}
    return {pool_id for pool_id in pool_ids if _key(pool_id) in taken}


def _key(pool_id: str | None) -> str:
    return f"dispatch:{pool_id}"
