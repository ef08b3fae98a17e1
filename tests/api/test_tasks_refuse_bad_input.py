"""Wrong requests about tasks: a problem that says what is wrong, and nothing changed."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from tasks.models import Task
from tests import factories as rows
from tests.tasks import factories

pytestmark = pytest.mark.django_db

NO_OBJECTS: list[Any] = [[], [{}], "text", 5, True]
WRONG = [
    {"task_type": "explode"},
    {"task_type": ["plan"]},
    {"task_type": None},
    {"description": 5},
    {"description": True},
    {"description": ["a"]},
    {"description": None},
    {"description": "x" * 2001},
    {"description": "a\0b"},
    {"status": "applied"},
    {"id": 5},
]


@pytest.mark.parametrize("body", WRONG, ids=lambda body: f"{body!r:.40}")
def test_a_task_is_not_made_of_wrong_fields(api: APIClient, body: dict[str, Any]) -> None:
    address = f"/api/v1/workspaces/{rows.configured().pk}/tasks"
    answer = api.post(address, json.dumps(body), content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert set(answer.json()["errors"]) == set(body)
    assert not Task.objects.exists()


@pytest.mark.parametrize("body", NO_OBJECTS, ids=str)
@pytest.mark.parametrize(
    "verb", ["", "/confirm-apply", "/discard", "/cancel", "/retry", "/mark-failed", "/release-lock"]
)
def test_a_body_is_an_object(api: APIClient, verb: str, body: Any) -> None:
    task = factories.awaiting_confirmation()
    address = f"/api/v1/workspaces/{task.workspace_id}/tasks" + (f"/{task.pk}{verb}" if verb else "")
    assert api.post(address, body, format="json").status_code == 400
    assert factories.reread(task).status == "apply_pending"


@pytest.mark.parametrize(
    "verb", ["confirm-apply", "discard", "cancel", "force-cancel", "retry", "mark-failed", "release-lock"]
)
def test_a_verb_refuses_fields_that_it_does_not_know(api: APIClient, verb: str) -> None:
    task = factories.awaiting_confirmation()
    answer = api.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/{verb}", {"force": True}, format="json")
    assert answer.status_code == 400
    assert "There is no field force" in answer.json()["errors"]["force"][0]
    assert factories.reread(task).status == "apply_pending"


@pytest.mark.parametrize(
    "body", [{"apply_description": 5}, {"plan_digest": 5}, {"plan_digest": "a" * 65}, {"plan": "x"}]
)
def test_a_confirmation_refuses_wrong_fields(api: APIClient, body: dict[str, Any]) -> None:
    task = factories.awaiting_confirmation()
    answer = api.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/confirm-apply", body, format="json")
    assert answer.status_code == 400
    assert factories.reread(task).status == "apply_pending"


def test_a_body_that_is_too_large_is_refused(api: APIClient) -> None:
    address = f"/api/v1/workspaces/{rows.configured().pk}/tasks"
    answer = api.post(address, {"description": "x" * (1024 * 1024)}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999", "9" * 5000, "one", "1.5", "%00", "1%00"])
@pytest.mark.parametrize("part", ["", "/events", "/log", "/plan", "/explain"])
def test_an_impossible_id_names_nothing(api: APIClient, number: str, part: str) -> None:
    workspace = rows.configured()
    for address in (f"/api/v1/workspaces/{workspace.pk}/tasks/{number}{part}", f"/api/v1/tasks/{number}"):
        answer = api.get(address)
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["ws-none", "%00", "..", "%F0%9F%92%A9", "x" * 3000])
def test_an_impossible_workspace_has_no_tasks(api: APIClient, name: str) -> None:
    task = factories.pending()
    for address in ("", f"/{task.pk}", f"/{task.pk}/log"):
        assert api.get(f"/api/v1/workspaces/{name}/tasks{address}").status_code in {400, 404}
    assert api.post(f"/api/v1/workspaces/{name}/tasks", {}, format="json").status_code in {400, 404}


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_task_is_not_written_or_deleted_by_hand(api: APIClient, method: str) -> None:
    task = factories.pending()
    answer = getattr(api, method)(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}", {}, format="json")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
