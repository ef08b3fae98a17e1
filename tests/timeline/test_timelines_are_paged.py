"""The timeline in the API: a list like the others, for those who may see the task."""

import pytest
from rest_framework.test import APIClient

from tasks.models import Task
from tests import factories as rows
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def address(task: Task) -> str:
    return f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/timeline"


def test_it_is_a_list_like_the_others(api: APIClient) -> None:
    answer = api.get(address(factories.applied())).json()
    assert answer.keys() == {"count", "count_is_exact", "next", "previous", "results"}
    assert (answer["count"], answer["count_is_exact"], answer["next"]) == (10, True, None)
    assert answer["results"][1].keys() == {"at", "kind", "text", "actor", "cause", "attempt", "epoch"}
    assert answer["results"][1]["kind"] == "offer"


def test_page_by_page_every_entry_is_reached_once(api: APIClient) -> None:
    task = factories.applied()
    whole = api.get(address(task)).json()["results"]
    seen, page = [], f"{address(task)}?page_size=3"
    while page:
        answer = api.get(page).json()
        seen += answer["results"]
        page = answer["next"]
    assert seen == whole
    assert api.get(f"{address(task)}?page_size=3&page=9").status_code == 404
    assert api.get(f"{address(task)}?page_size=0").status_code == 400


def test_who_may_not_see_the_task_sees_no_timeline() -> None:
    task = factories.pending()
    assert rows.client(rows.person()).get(address(task)).status_code == 404
    assert rows.client(rows.person("tasks.view_task")).get(address(task)).status_code == 200


def test_a_task_of_another_workspace_is_not_found(api: APIClient) -> None:
    task, other = factories.pending(), factories.pending()
    assert api.get(f"/api/v1/workspaces/{other.workspace_id}/tasks/{task.pk}/timeline").status_code == 404
