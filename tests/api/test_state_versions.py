"""Versions of a state in the API: listed, read, uploaded, brought back."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories
from tests.tasks import factories as tasks
from workspaces.models import StateLock, StateVersion, Workspace


@pytest.fixture
def address(workspace: Workspace) -> str:
    """Where the workspace's versions are."""
    return f"/api/v1/workspaces/{workspace.pk}/state-versions"


def upload(api: APIClient, address: str, content: bytes) -> Any:
    """Return the answer to an upload."""
    return api.post(address, content, content_type="application/json")


def test_a_version_is_uploaded_listed_and_read(api: APIClient, address: str) -> None:
    content = factories.state(4, resources=3)
    made = upload(api, address, content)
    assert made.status_code == 201
    assert {
        "serial": 4,
        "lineage": "lineage-1",
        "resources": 3,
        "created_by": "user:ann",
    }.items() <= made.json().items()
    assert api.get(address).json()["results"] == [made.json()]
    assert api.get(f"{address}/4").json() == made.json()
    read = api.get(f"{address}/4?content=true")
    assert read.content == content and "attachment" in read["Content-Disposition"]
    assert api.get(f"{address}/5").status_code == 404


def test_an_earlier_version_comes_back_as_the_newest(api: APIClient, address: str) -> None:
    for serial in (1, 2):
        upload(api, address, factories.state(serial, note=f"note {serial}"))
    made = api.post(f"{address}/1/rollback")
    assert made.status_code == 201 and made.json()["serial"] == 3
    assert json.loads(api.get(f"{address}/3?content=1").content)["outputs"]["note"]["value"] == "note 1"


def test_nothing_is_uploaded_while_the_state_is_locked(api: APIClient, workspace: Workspace, address: str) -> None:
    upload(api, address, factories.state(1))
    StateLock.objects.create(workspace=workspace, lock_id="a", info={"ID": "a"}, holder="user:ann")
    answers = [upload(api, address, factories.state(2)), api.post(f"{address}/1/rollback")]
    assert [answer.status_code for answer in answers] == [423, 423]
    assert StateVersion.objects.count() == 1


def test_nothing_is_uploaded_while_a_task_runs(api: APIClient) -> None:
    task = tasks.planning()
    address = f"/api/v1/workspaces/{task.workspace_id}/state-versions"
    answer = upload(api, address, factories.state(1))
    assert answer.status_code == 409 and answer.json()["code"] == "in_use"
    assert f"Task {task.pk}" in answer.json()["detail"]


def test_seeing_versions_is_a_right_of_its_own(workspace: Workspace, address: str) -> None:
    reader = factories.client(factories.person("workspaces.view_workspace"))
    assert reader.get(address).json()["count"] == 0
    assert upload(reader, address, factories.state(1)).status_code == 403
