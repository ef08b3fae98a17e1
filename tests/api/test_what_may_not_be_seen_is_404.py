"""Seeing needs the view permission, changing its own; the first missing is 404, the second 403 with its name."""

import pytest
from rest_framework.test import APIClient

from tests import factories
from workspaces.models import Workspace

WORKSPACES = "/api/v1/workspaces"
BELOW = [
    "",
    "/lock",
    "/unlock",
    "/configurations",
    "/variables",
    "/state",
    "/state-versions",
    "/state-versions/1/rollback",
]


@pytest.mark.parametrize("rest", BELOW)
@pytest.mark.parametrize("method", ["get", "post", "delete", "patch"])
def test_a_stranger_finds_nothing(stranger: APIClient, workspace: Workspace, rest: str, method: str) -> None:
    answer = getattr(stranger, method)(f"{WORKSPACES}/{workspace.pk}{rest}", {}, format="json")
    assert answer.status_code in {404, 405}, answer.content
    missing = getattr(stranger, method)(f"{WORKSPACES}/ws-nothing000{rest}", {}, format="json")
    assert missing.status_code == answer.status_code


def test_a_strangers_list_is_empty(stranger: APIClient, workspace: Workspace) -> None:
    assert stranger.get(WORKSPACES).json()["count"] == 0


def test_a_reader_is_told_which_permission_is_missing(workspace: Workspace) -> None:
    reader = factories.client(factories.person("workspaces.view_workspace"))
    assert reader.get(f"{WORKSPACES}/{workspace.pk}").status_code == 200
    refused = {
        "workspaces.change_workspace": reader.post(f"{WORKSPACES}/{workspace.pk}/lock", {}, format="json"),
        "workspaces.delete_workspace": reader.delete(f"{WORKSPACES}/{workspace.pk}"),
        "workspaces.add_configuration": reader.post(f"{WORKSPACES}/{workspace.pk}/configurations", {}, format="json"),
        "workspaces.add_variable": reader.post(f"{WORKSPACES}/{workspace.pk}/variables", {}, format="json"),
        "workspaces.add_workspace": reader.post(WORKSPACES, {"name": "x"}, format="json"),
    }
    for permission, answer in refused.items():
        assert answer.status_code == 403 and permission in answer.json()["detail"], permission


@pytest.mark.django_db
def test_a_pool_that_is_not_visible_cannot_be_named() -> None:
    pool = factories.pool()
    maker = factories.client(factories.person("workspaces.view_workspace", "workspaces.add_workspace"))
    answer = maker.post(WORKSPACES, {"name": "x", "execution_mode": "agent", "pool_id": pool.pk}, format="json")
    assert answer.status_code == 400 and "pool_id" in answer.json()["errors"]


def test_an_inactive_persons_token_opens_nothing(workspace: Workspace) -> None:
    person = factories.admin("gone")
    client = factories.client(person)
    person.is_active = False
    person.save()
    assert client.get(WORKSPACES).status_code == 401
