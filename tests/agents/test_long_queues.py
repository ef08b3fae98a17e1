"""A thousand tasks that wait for the same cost little more than one: the pass holds their rows, and others wait for it."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agents import dispatcher
from iacplatform.base import clock
from pools.models import Pool
from tasks.models import Task
from tasks.signals import task_moved
from tests.agents.conftest import Later
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

LOUD = """
CREATE OR REPLACE FUNCTION agents_overlooked(sought bigint, settled_for interval, accept_within interval, remembered_for interval)
RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'A task was looked at one by one.'; END $$
"""


@pytest.fixture(autouse=True)
def no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_moved, "send_robust", lambda **facts: [])


def a_pass() -> list[dict[str, str]]:
    """Let the dispatcher look at the pool, and return its queries."""
    with CaptureQueriesContext(connection) as seen:
        dispatcher.dispatch(Pool.objects.local().pk, cause="test")
    return seen.captured_queries


def wait(number: int) -> None:
    for _ in range(number):
        factories.pending()


def test_tasks_that_wait_for_the_same_are_told_so_in_one_write() -> None:
    wait(2)
    few = len(a_pass())
    wait(10)
    assert len(a_pass()) == few
    assert set(Task.objects.values_list("reason_code", flat=True)) == {"no_connected_agent"}


def test_a_task_that_says_it_already_is_not_written_again() -> None:
    wait(3)
    a_pass()
    assert not [query for query in a_pass() if query["sql"].startswith("UPDATE")]


def test_where_nothing_is_free_no_task_is_looked_at_by_itself(later: Later) -> None:
    factories.planning(on=factories.agent(connected=True, capacity=1))
    task = factories.pending()
    later(6)
    Task.objects.update(deadline=clock.In(seconds=3600))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOUD)
        assert not Task.objects.stuck().filter(pk=task.pk).exists()
        transaction.set_rollback(True)
