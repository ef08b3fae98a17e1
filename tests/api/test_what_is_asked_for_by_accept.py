"""Content of a type of its own comes whatever `Accept` says; where the answer is JSON, who leaves that out gets 406."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from rest_framework.test import APIClient

from tasks import attempts
from tasks.models import Task
from tests.tasks import factories
from workspaces import configurations

pytestmark = pytest.mark.django_db

ARCHIVE = b"\x1f\x8b\x08 an archive"
ACCEPTED = ["application/octet-stream", "text/plain", "application/gzip"]


@pytest.fixture
def task() -> Task:
    """A task that applies a plan of an archive."""
    workspace = factories.workspace()
    configurations.store_archive(workspace, ContentFile(ARCHIVE), factories.person())
    return factories.applying(workspace=workspace)


def by_its_agent(task: Task, rest: str, accept: str) -> Any:
    """Return the answer to the attempt that runs."""
    headers = {"Authorization": f"Bearer {attempts.newest_of(task).token}", "Accept": accept}
    return Client().get(f"/agents/v1/attempt{rest}", headers=headers)


@pytest.mark.parametrize("accept", ACCEPTED)
@pytest.mark.parametrize("rest", ["", "/configuration/0", "/plan/file"])
def test_an_agent_gets_what_it_needs(task: Task, rest: str, accept: str) -> None:
    assert by_its_agent(task, rest, accept).status_code == 200


@pytest.mark.parametrize("accept", ACCEPTED)
@pytest.mark.parametrize("rest", ["configurations/2/download", "tasks/{task}/log"])
def test_a_person_gets_what_is_there(api: APIClient, task: Task, rest: str, accept: str) -> None:
    path = f"/api/v1/workspaces/{task.workspace_id}/{rest.format(task=task.pk)}"
    assert api.get(path, headers={"accept": accept}).status_code == 200


@pytest.mark.parametrize("accept", ACCEPTED)
def test_an_answer_in_json_is_not_given_to_who_leaves_that_out(api: APIClient, task: Task, accept: str) -> None:
    refused = api.get(f"/api/v1/tasks/{task.pk}", headers={"accept": accept})
    assert (refused.status_code, refused["Content-Type"]) == (406, "application/problem+json")
    assert refused.json()["code"] == "not_acceptable"
