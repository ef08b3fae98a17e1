"""The database as another process of the platform has it: a session that Django's connections know nothing of."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections


def parameters() -> dict[str, Any]:
    """Return what psycopg needs to connect to Django's database by itself."""
    django = connections["default"].get_connection_params()
    return {key: value for key, value in django.items() if key not in {"context", "cursor_factory"}}


def session() -> psycopg.Connection:
    """Return a new session."""
    return psycopg.connect(**parameters(), autocommit=True)


def hold(session: psycopg.Connection, lock: str) -> None:
    """Take a lock as `iacplatform.base.alone` does."""
    session.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [lock])


@pytest.fixture
def other() -> Iterator[psycopg.Connection]:
    """A session of another process."""
    with session() as opened:
        yield opened
        # A session that is closed keeps its locks until its backend notices.
        if not opened.closed:
            opened.execute("SELECT pg_advisory_unlock_all()")
