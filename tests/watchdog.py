"""A pytest plugin: after every test that uses the database, no task breaks the promise of a reason, owner and next look."""

from collections.abc import Iterator

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
    broken = [f"#{task.pk} {task.status} {task.reason_code}" for task in Task.objects.breaking_the_promise()]
    assert not broken, f"These tasks have no reason, owner, deadline or next look: {broken}"


def _uses_database(request: pytest.FixtureRequest) -> bool:
    marked = request.node.get_closest_marker("django_db") is not None
    return marked or not {"db", "transactional_db", "live_server"}.isdisjoint(request.fixturenames)
