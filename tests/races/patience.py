"""Sessions that wait as long as a test lets them: whether one waits is for the test to say, and not for a clock."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_PATIENT = ("SET lock_timeout = 0", "SET idle_in_transaction_session_timeout = 0")
_AS_BEFORE = ("RESET lock_timeout", "RESET idle_in_transaction_session_timeout")


@contextmanager
def patient_session() -> Iterator[int]:
    """Let this thread's session wait for rows, and its transaction for the test; give its process in the database."""
    _do(*_PATIENT)
    try:
        yield _backend()
    finally:
        _do(*_AS_BEFORE)  # it goes back into the pool


def _do(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
