"""A pytest plugin: after every test that uses the database, no task breaks the promise of a reason, owner and next look."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.db import connection

from tasks.models import Task


@pytest.fixture(autouse=True)
def _watchdog(request: pytest.FixtureRequest) -> Iterator[None]:
    if not _uses_database(request):
        yield
        return
    request.getfixturevalue("db")  # so that this one ends first, and still sees what the test wrote
    yield
    if not connection.needs_rollback:
        bark()


def bark() -> None:
    """Fail, naming the tasks, where the watchdog's query has an answer."""
    with connection.cursor() as cursor:
        cursor.execute(*_statement())
        broken = [f"#{task_id} {status} {reason_code}" for task_id, status, reason_code in cursor.fetchall()]
    assert not broken, f"These tasks have no reason, owner, deadline or next look: {broken}"


@cache
def _statement() -> tuple[str, tuple[Any, ...]]:
    """Return the watchdog's query and its values, which never change: to make it costs ten times what asking does."""
    broken = Task.objects.breaking_the_promise().values_list("pk", "status", "reason_code")
    return broken.query.sql_with_params()


def _uses_database(request: pytest.FixtureRequest) -> bool:
    marked = request.node.get_closest_marker("django_db") is not None
    return marked or not {"db", "transactional_db", "live_server"}.isdisjoint(request.fixturenames)
