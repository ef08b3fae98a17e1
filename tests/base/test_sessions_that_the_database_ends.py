"""A transaction that stands still for too long is ended by the database, with its session: that is an outage, no fault."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from iacplatform.base.database_refusals import as_problem

STOOD_STILL = "1ms"
"""After so long the database ends it."""


@pytest.mark.django_db(transaction=True)
def test_a_process_that_stood_still_in_a_transaction_says_that_it_is_to_be_tried_again(
    eventually: Callable[..., None],
) -> None:
    with pytest.raises(DatabaseError) as ended, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [STOOD_STILL])
        session = connection.connection.info
        eventually(lambda: not _is_there(session.dsn, session.password, session.backend_pid))
        cursor.execute("SELECT 1")
    problem = as_problem(ended.value)
    connection.close()
    assert problem is not None
    assert (problem.status, problem.code) == (503, "try_again")


def _is_there(address: str, password: str, session: int) -> bool:
    with psycopg.connect(address, password=password) as other:
        return other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [session]).fetchone() is not None
