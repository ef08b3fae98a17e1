"""What tests of the channel layer share: the database outside of a transaction, and waiting within an event loop."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

Sessions = Callable[[str], list[int]]


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Open the test database to every thread; nothing is rolled back or emptied, as hints leave no rows."""
    with django_db_blocker.unblock():
        yield
        connection.close()


@pytest.fixture
def sessions(database: None) -> Sessions:
    """Return a function that gives the backends' process ids of sessions whose application name starts like this."""
    return _sessions


def _sessions(application: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE %s",
            [f"{application}%"],
        )
        return [pid for (pid,) in cursor.fetchall()]


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Return once the condition holds; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
