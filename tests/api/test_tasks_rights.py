"""Who may see tasks and do what: what is not visible is 404, what may not be done is 403 and names the permission."""

import pytest
from rest_framework.test import APIClient

from tests import factories as rows
from tests.tasks import factories

pytestmark = pytest.mark.django_db

SEES = ("tasks.view_task", "workspaces.view_workspace")
NEEDED = {
    "confirm-apply": "tasks.confirm_task",
    "discard": "tasks.confirm_task",
    "cancel": "tasks.change_task",
    "force-cancel": "tasks.recover_task",
    "retry": "tasks.add_task",
    "mark-failed": "tasks.recover_task",
    "release-lock": "tasks.recover_task",
}
READ = ["", "/events", "/log", "/plan", "/explain"]


@pytest.fixture
def viewer() -> APIClient:
    """A client that may look and do nothing."""
    return rows.client(rows.person(*SEES))


@pytest.mark.parametrize("part", READ)
def test_a_viewer_reads(viewer: APIClient, part: str) -> None:
    task = factories.awaiting_confirmation()
    assert viewer.get(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}{part}").status_code == 200


def test_a_viewer_is_offered_nothing(viewer: APIClient) -> None:
    task = factories.awaiting_confirmation()
    assert viewer.get(f"/api/v1/tasks/{task.pk}").json()["actions"] == []


@pytest.mark.parametrize("verb", NEEDED)
def test_a_viewer_is_told_which_permission_is_missing(viewer: APIClient, verb: str) -> None:
    task = factories.awaiting_confirmation()
    answer = viewer.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/{verb}")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert NEEDED[verb] in answer.json()["detail"]
    assert factories.reread(task).status == "apply_pending"


def test_a_viewer_makes_no_tasks(viewer: APIClient) -> None:
    answer = viewer.post(f"/api/v1/workspaces/{rows.configured().pk}/tasks")
    assert answer.status_code == 403
    assert "tasks.add_task" in answer.json()["detail"]


def test_who_may_confirm_is_offered_that(viewer: APIClient) -> None:
    reader = rows.client(rows.person(*SEES, "tasks.confirm_task"))
    task = factories.awaiting_confirmation()
    assert reader.get(f"/api/v1/tasks/{task.pk}").json()["actions"] == ["confirm-apply", "discard"]
    assert reader.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/discard").status_code == 200


def test_to_retry_a_lost_apply_needs_what_marking_it_as_failed_needs() -> None:
    maker = rows.client(rows.person(*SEES, "tasks.add_task"))
    task = factories.needing_attention()
    answer = maker.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/retry")
    assert answer.status_code == 403
    assert "tasks.recover_task" in answer.json()["detail"]


@pytest.mark.parametrize("part", READ)
def test_who_sees_no_tasks_finds_none(stranger: APIClient, part: str) -> None:
    task = factories.awaiting_confirmation()
    assert stranger.get(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}{part}").status_code == 404
    assert stranger.get(f"/api/v1/tasks/{task.pk}").status_code == 404
    assert stranger.get("/api/v1/tasks").json()["results"] == []


@pytest.mark.parametrize("verb", NEEDED)
def test_who_sees_no_tasks_does_nothing_to_them(stranger: APIClient, verb: str) -> None:
    task = factories.awaiting_confirmation()
    answer = stranger.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/{verb}")
    assert answer.status_code == 404


@pytest.mark.parametrize("part", [*READ, *(f"/{verb}" for verb in NEEDED)])
def test_a_task_of_another_workspace_is_not_here(api: APIClient, part: str) -> None:
    task, other = factories.awaiting_confirmation(), rows.workspace()
    address = f"/api/v1/workspaces/{other.pk}/tasks/{task.pk}{part}"
    answer = api.post(address) if part.removeprefix("/") in NEEDED else api.get(address)
    assert answer.status_code == 404
    assert factories.reread(task).status == "apply_pending"


def test_without_a_token_nothing_is_told() -> None:
    task = factories.pending()
    answer = APIClient().get(f"/api/v1/tasks/{task.pk}")
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer
