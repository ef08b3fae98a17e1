"""What tests of the channel layer share: the database outside of a transaction, and a look at who is connected."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests import other_process


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Open the test database to every thread; nothing is rolled back or emptied, as hints leave no rows."""
    with django_db_blocker.unblock():
        yield
        connection.close()


class Onlooker:
    """A session of its own that sees and ends other sessions, also from within an event loop."""

    def __init__(self, session: psycopg.Connection) -> None:
        self._session = session

    def sessions(self, application: str) -> list[int]:
        """Return the backends' process ids of sessions whose application name starts like this."""
        rows = self._session.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE %s",
            [f"{application}%"],
        )
        return [pid for (pid,) in rows]

    def end(self, application: str) -> int:
        """End the sessions and return how many there were."""
        backends = self.sessions(application)
        for backend in backends:
            self._session.execute("SELECT pg_terminate_backend(%s)", [backend])
        return len(backends)

    def notify(self, payload: str) -> None:
        """Send something that the layer has not made."""
        self._session.execute("SELECT pg_notify('iacplatform', %s)", [payload])


@pytest.fixture
def onlooker(database: None) -> Iterator[Onlooker]:
    with other_process.session() as session:
        yield Onlooker(session)
