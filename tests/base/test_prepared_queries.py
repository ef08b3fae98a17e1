"""A query that is worked out once answers as Django's own would, for whatever values, on every thread."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.test.utils import CaptureQueriesContext

from iacplatform.base.prepared import Given, Prepared
from tasks.models import Task
from tests.tasks import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def tasks_of(workspace_id: Any) -> QuerySet[Task]:
    return Task.objects.select_related("workspace__state_lock").filter(workspace=workspace_id).order_by("id")


@pytest.fixture
def prepared() -> Prepared[Task]:
    return Prepared(lambda: tasks_of(Given.text("workspace_id")))


def test_it_answers_as_the_query_itself_for_each_value(prepared: Prepared[Task]) -> None:
    one, other = factories.pending(), factories.pending()
    for task in (one, other, one):
        assert prepared.all(workspace_id=task.workspace_id) == list(tasks_of(task.workspace_id)) == [task]
    assert prepared.all(workspace_id="ws-none") == []
    assert prepared.first(workspace_id="ws-none") is None


def test_rows_bring_what_is_selected_with_them(prepared: Prepared[Task]) -> None:
    task = factories.pending()
    with CaptureQueriesContext(connection) as made:
        (found,) = prepared.all(workspace_id=task.workspace_id)
        assert found.workspace.name == task.workspace.name
    assert len(made) == 1


def test_rows_show_what_is_annotated() -> None:
    counted = Prepared(
        lambda: Workspace.objects.annotate(task_count=Count("tasks")).filter(pk=Given.text("workspace_id"))
    )
    workspace = factories.workspace()
    for number in range(3):
        found: Any = counted.first(workspace_id=workspace.pk)
        assert found.task_count == number
        factories.pending(workspace=workspace)


def test_a_value_is_never_part_of_the_statement(prepared: Prepared[Task]) -> None:
    factories.pending()
    assert prepared.all(workspace_id="' OR 1=1 --") == []


def test_a_value_that_is_missing_is_an_error_and_no_guess(prepared: Prepared[Task]) -> None:
    with pytest.raises(KeyError, match="workspace_id"):
        prepared.all()


def test_each_thread_asks_over_its_own_connection() -> None:
    locked = Prepared(lambda: Workspace.objects.select_for_update(skip_locked=True).filter(pk=Given.text("pk")))
    workspace = factories.workspace()

    def look() -> list[Workspace]:
        try:
            with transaction.atomic():
                return locked.all(pk=workspace.pk)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as elsewhere:
        assert locked.all(pk=workspace.pk) == [workspace]
        assert elsewhere.submit(look).result() == []


def test_it_is_worked_out_once() -> None:
    built: list[int] = []

    @Prepared
    def all_tasks() -> QuerySet[Task]:
        built.append(1)
        return Task.objects.filter(pk=Given.number("task_id"))

    task = factories.pending()
    assert [all_tasks.all(task_id=task.pk), all_tasks.all(task_id=0)] == [[task], []]
    assert len(built) == 1
