"""Workspaces in the API: made, listed, changed, refused with a sentence by field."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from iacplatform.base import ids
from pools.models import Pool
from tests import factories
from workspaces import locks
from workspaces.models import Workspace

WORKSPACES = "/api/v1/workspaces"


def test_a_workspace_is_made_with_defaults(api: APIClient) -> None:
    answer = api.post(WORKSPACES, {"name": "web"}, format="json")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["workspace_id"].startswith("ws-") and len(made["workspace_id"]) == 13
    assert set(made["workspace_id"][3:]) <= set(ids.ALPHABET)
    expected = {"name": "web", "execution_mode": "local", "pool_id": None, "engine": "terraform", "auto_apply": False}
    assert expected.items() <= made.items()
    assert {"is_locked": False, "locked_by": "", "lock_reason": ""}.items() <= made.items()
    assert api.get(f"{WORKSPACES}/{made['workspace_id']}").json() == made


def test_a_list_has_the_shape_of_the_contract(api: APIClient, workspace: Workspace) -> None:
    listed = api.get(WORKSPACES).json()
    assert listed.keys() >= {"count", "next", "previous", "results"}
    assert (listed["count"], listed["count_is_exact"]) == (1, True)
    assert [each["name"] for each in listed["results"]] == ["web"]


@pytest.mark.parametrize("name", ["", "-web", "a b", "a/b", "a" * 91, "ä", "a;b", "$(id)", "../x", None, 5.5, []])
def test_a_hostile_name_is_refused_by_field(api: APIClient, name: Any) -> None:
    answer = api.post(WORKSPACES, {"name": name}, format="json")
    assert answer.status_code == 400 and answer.json()["code"] == "invalid"
    assert "name" in answer.json()["errors"] or name == 5.5


def test_an_unknown_field_is_refused_and_named(api: APIClient) -> None:
    answer = api.post(WORKSPACES, {"name": "web", "mode": "local"}, format="json")
    assert answer.status_code == 400
    assert "There is no field mode" in answer.json()["errors"]["mode"][0]
    assert not Workspace.objects.exists()


def test_a_field_that_the_platform_sets_is_refused(api: APIClient, workspace: Workspace) -> None:
    answer = api.patch(f"{WORKSPACES}/{workspace.pk}", {"locked_by": "user:eve"}, format="json")
    assert answer.status_code == 400 and "cannot be set" in answer.json()["errors"]["locked_by"][0]


def test_a_name_is_taken_once(api: APIClient, workspace: Workspace) -> None:
    answer = api.post(WORKSPACES, {"name": "web"}, format="json")
    assert answer.status_code == 400 and "already exists" in answer.json()["errors"]["name"][0]


def test_a_change_leaves_what_it_does_not_name(api: APIClient, workspace: Workspace, ann: User) -> None:
    locks.lock(workspace, by=ann, reason="freeze")
    answer = api.patch(f"{WORKSPACES}/{workspace.pk}", {"description": "The shop"}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["description"], answer.json()["is_locked"]) == ("The shop", True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("terraform_version", "latest"),
        ("working_directory", "../up"),
        ("working_directory", "/etc"),
        ("working_directory", "a//b"),
        ("working_directory", "a/./b"),
        ("plan_timeout_seconds", 1),
        ("plan_timeout_seconds", "soon"),
        ("apply_timeout_seconds", 10**30),
        ("engine", "pulumi"),
        ("auto_apply", "perhaps"),
        ("description", "a\0b"),
        ("pool_id", "pool-none"),
        ("pool_id", {"a": 1}),
        ("description", 5),
        ("description", True),
        ("plan_timeout_seconds", "60"),
        ("plan_timeout_seconds", True),
        ("plan_timeout_seconds", 60.0),
        ("auto_apply", "yes"),
        ("auto_apply", 1),
    ],
)
def test_a_wrong_value_is_refused_by_field(api: APIClient, field: str, value: Any) -> None:
    answer = api.post(WORKSPACES, {"name": "web", field: value}, format="json")
    assert answer.status_code == 400 and field in answer.json()["errors"], answer.content


def test_the_list_is_filtered(api: APIClient, workspace: Workspace) -> None:
    other = factories.workspace(name="db", execution_mode="agent", pool=factories.pool())
    assert [each["name"] for each in api.get(WORKSPACES, {"pool_id": str(other.pool_id)}).json()["results"]] == ["db"]
    assert [each["name"] for each in api.get(WORKSPACES, {"name": "web"}).json()["results"]] == ["web"]
    assert [each["name"] for each in api.get(WORKSPACES, {"search": "E"}).json()["results"]] == ["web"]
    assert api.get(WORKSPACES, {"is_locked": "true"}).json()["count"] == 0
    assert api.get(WORKSPACES, {"is_locked": "maybe"}).status_code == 400


def test_a_pool_of_ones_own_can_be_named(api: APIClient) -> None:
    answer = api.post(WORKSPACES, {"name": "web", "pool_id": Pool.objects.local().pk}, format="json")
    assert answer.status_code == 201 and answer.json()["pool_id"] == Pool.objects.local().pk
