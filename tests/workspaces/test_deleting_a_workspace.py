"""A workspace goes with all that it leaves behind, once nothing of it lives; resources need a word of their own."""

from typing import Any

import pytest
from django.db import IntegrityError
from rest_framework.test import APIClient

from iacplatform.base.problems import Problem
from tasks import creation, removal
from tasks.models import Attempt, Task, TaskEvent
from tests import factories as rows
from tests.races.racing import interleave, race
from tests.tasks import factories
from workspaces import states
from workspaces.models import Configuration, StateLock, StateVersion, Variable, Workspace
from workspaces.state_api import person


@pytest.fixture
def api(db: Any) -> APIClient:
    """A client that may do everything."""
    return rows.client(rows.admin())


def delete(api: APIClient, workspace: Workspace, query: str = "") -> Any:
    """Return the answer to a deletion."""
    return api.delete(f"/api/v1/workspaces/{workspace.pk}{query}")


def test_it_goes_with_its_history(api: APIClient) -> None:
    task = factories.failed()
    workspace = task.workspace
    api.post(f"/api/v1/workspaces/{workspace.pk}/variables", {"key": "a", "value": "b"}, format="json")
    assert delete(api, workspace).status_code == 204
    for model in (Task, TaskEvent, Attempt, Configuration, Variable, StateVersion, Workspace):
        assert not model._default_manager.exists(), model


@pytest.mark.parametrize(
    "maker", ["pending", "offered", "planning", "awaiting_confirmation", "applying", "needing_attention"]
)
def test_it_stays_while_a_task_is_not_final(api: APIClient, maker: str) -> None:
    task: Task = getattr(factories, maker)()
    for query in ("", "?force=true"):
        answer = delete(api, task.workspace, query)
        assert answer.status_code == 409 and answer.json()["code"] == "in_use"
        assert f"Task {task.pk}" in answer.json()["detail"]
    assert Workspace.objects.filter(pk=task.workspace_id).exists()


def test_resources_stay_unless_it_is_forced(api: APIClient) -> None:
    workspace = rows.workspace()
    ann = person(rows.admin(), workspace.pk)
    states.store(workspace.pk, rows.state(1, resources=3), ann)
    refused = delete(api, workspace)
    assert refused.status_code == 409 and "3 resources" in refused.json()["detail"]
    assert "force=true" in refused.json()["detail"]
    assert delete(api, workspace, "?force=perhaps").status_code == 400
    assert delete(api, workspace, "?force=true").status_code == 204


def test_an_emptied_state_needs_no_force(api: APIClient) -> None:
    workspace = rows.workspace()
    ann = person(rows.admin(), workspace.pk)
    states.store(workspace.pk, rows.state(1, resources=3), ann)
    states.store(workspace.pk, rows.state(2), ann)
    assert delete(api, workspace).status_code == 204


def test_it_stays_while_its_state_is_locked(api: APIClient) -> None:
    workspace = rows.workspace()
    StateLock.objects.create(workspace=workspace, lock_id="a", info={"ID": "a"}, holder="user:bob")
    answer = delete(api, workspace, "?force=true")
    assert answer.status_code == 409 and "user:bob" in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_a_task_made_at_the_same_moment_is_not_lost() -> None:
    """Either the task is there and the workspace stays, or the workspace is gone and no task was made."""
    workspace, ann = rows.configured(), rows.admin()
    answers = race(
        lambda: removal.remove(workspace),
        lambda: creation.create(workspace, task_type="plan_and_apply", by=ann),
    )
    [refusal] = [answer for answer in answers if isinstance(answer, Exception)]
    assert isinstance(refusal, Problem)
    assert Workspace.objects.exists() == Task.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_state_stored_at_the_same_moment_is_not_lost() -> None:
    """Whoever was told that a state is stored finds it, unless a person says that the resources may stay unmanaged."""
    workspace, ann = rows.workspace(), rows.admin()
    removed, stored = interleave(
        lambda: removal.remove(workspace),
        lambda: states.upload(workspace.pk, rows.state(1, resources=3), person(ann, workspace.pk)),
        before="DELETE FROM",
    )
    assert removed is None and isinstance(stored, IntegrityError)


@pytest.mark.django_db(transaction=True)
def test_a_task_for_a_workspace_that_was_just_deleted_is_404(api: APIClient) -> None:
    workspace = rows.configured()
    late, _ = interleave(
        lambda: api.post(f"/api/v1/workspaces/{workspace.pk}/tasks", {}, format="json"),
        lambda: removal.remove(workspace),
        before="FOR NO KEY UPDATE",
    )
    assert late.status_code == 404 and "deleted" in late.json()["detail"]
