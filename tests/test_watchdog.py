"""The watchdog that looks after every test does bark."""

from collections.abc import Callable

import pytest
from django.db import connection

from tasks import moves, reasons
from tasks.models import Task
from tests import watchdog
from tests.tasks import factories


@pytest.mark.django_db
@pytest.mark.parametrize("make", [factories.pending, factories.confirmed])
def test_it_barks_at_a_task_without_a_deadline(make: Callable[[], Task]) -> None:
    task = make()
    deadline = task.deadline
    Task.objects.filter(pk=task.pk).update(deadline=None)
    with pytest.raises(AssertionError, match=f"#{task.pk}"):
        watchdog.bark()
    Task.objects.filter(pk=task.pk).update(deadline=deadline)


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["reason", "reason_since", "next_check_at"])
def test_it_sees_what_the_constraints_would_refuse(column: str) -> None:
    task = factories.awaiting_confirmation()
    kept = {name: getattr(task, name) for name in ("reason", "reason_since", "next_check_at")}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE tasks_task DROP CONSTRAINT task_waits_for_a_reason")
        cursor.execute(f"UPDATE tasks_task SET {column} = NULL")
    assert list(Task.objects.breaking_the_promise()) == [task]
    Task.objects.update(**kept)


@pytest.mark.django_db
@pytest.mark.parametrize("make", [factories.planning, factories.applied])
def test_no_reason_is_written_where_nothing_waits(make: Callable[[], Task]) -> None:
    task = make()
    assert moves.explain_wait(task, reasons.dispatching()) is False
    assert factories.reread(task).reason is None
