"""A task's history, its plan and its explanation over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tasks.masking import MASK
from tasks.models import Task
from tests import factories as rows
from tests.tasks import factories
from workspaces.models import Variable

pytestmark = pytest.mark.django_db

PLAN = {
    "format_version": "1.2",
    "variables": {"password": {"value": "swordfish"}, "region": {"value": "eu-west-1"}},
    "resource_changes": [
        {
            "address": "terraform_data.one",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"input": {"region": "eu-west-1", "key": "swordfish"}, "note": "the key is kept-by-platform"},
                "after_sensitive": {"input": {"key": True}},
            },
        }
    ],
    "configuration": {"root_module": {"variables": {"password": {"sensitive": True}, "region": {}}}},
}


def get(api: APIClient, task: Task, part: str) -> Any:
    return api.get(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/{part}")


def test_every_move_is_told_in_order(api: APIClient) -> None:
    listed = get(api, factories.applied(), "events").json()
    moves = [(each["event"], each["from"], each["to"]) for each in listed["results"]]
    assert moves == [
        ("created", "", "pending"),
        ("offered", "pending", "pending"),
        ("accepted", "pending", "running"),
        ("planned", "running", "apply_pending"),
        ("confirm", "apply_pending", "confirmed"),
        ("offered", "confirmed", "confirmed"),
        ("accepted", "confirmed", "running"),
        ("applied", "running", "applied"),
    ]
    assert listed["count"] == 8
    assert listed["results"][0].keys() >= {"from", "to", "reason", "actor", "attempt", "at"}
    assert listed["results"][4]["actor"] == "user:ann"


def test_a_long_history_has_pages(api: APIClient) -> None:
    task = factories.applied()
    answer = api.get(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/events", {"page_size": 3, "page": 2})
    assert [each["event"] for each in answer.json()["results"]] == ["planned", "confirm", "offered"]


def test_a_plan_is_shown_with_its_secrets_masked(api: APIClient) -> None:
    answer = get(api, factories.awaiting_confirmation(plan=PLAN), "plan")
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["variables"] == {"password": {"value": MASK}, "region": {"value": "eu-west-1"}}
    after = shown["resource_changes"][0]["change"]["after"]
    assert after["input"] == {"region": "eu-west-1", "key": MASK}
    assert b"swordfish" not in answer.content


def test_a_value_that_only_the_platform_knows_to_be_sensitive_is_masked(api: APIClient) -> None:
    workspace = rows.configured()
    for key, category, value in (("region", "terraform", "eu-west-1"), ("TOKEN", "env", "kept-by-platform")):
        variable = Variable(workspace=workspace, key=key, category=category, sensitive=True)
        variable.set_value(value)
        variable.save()
    answer = get(api, factories.awaiting_confirmation(plan=PLAN, workspace=workspace), "plan")
    assert answer.status_code == 200
    assert b"eu-west-1" not in answer.content
    assert b"kept-by-platform" not in answer.content
    assert answer.json()["resource_changes"][0]["change"]["after"]["note"] == f"the key is {MASK}"


@pytest.mark.parametrize(
    "make", [factories.pending, factories.planning, factories.failed], ids=lambda make: make.__name__
)
def test_without_a_plan_there_is_none_to_show(api: APIClient, make: Any) -> None:
    answer = get(api, make(), "plan")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_plan")


@pytest.mark.parametrize(
    "stored", [b"no JSON", b"[]", b"\xff", b"[" * 5000, b'{"variables": 3}', b'{"configuration": []}']
)
def test_what_an_agent_stored_that_is_no_plan_is_refused_in_words(api: APIClient, stored: bytes) -> None:
    answer = get(api, factories.awaiting_confirmation(plan=stored), "plan")
    assert answer.status_code == 409 and answer.json()["code"] == "plan_unreadable"


def test_after_a_new_plan_is_asked_for_the_old_one_is_not_shown(api: APIClient) -> None:
    task = factories.stale()
    api.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/retry")
    assert get(api, task, "plan").status_code == 404


def test_a_pending_task_is_explained_gate_by_gate(api: APIClient) -> None:
    explained = get(api, factories.pending(), "explain").json()
    results = {gate["name"]: gate["result"] for gate in explained["gates"]}
    assert results["workspace_lock"] == "pass"
    assert results["agents_connected"] == "wait"
    assert results["free_slot"] == "not_reached"
    assert explained["wait_reason"]["code"] == "dispatching"
    waits = next(gate for gate in explained["gates"] if gate["result"] == "wait")
    assert waits["reason"]["code"] == "no_connected_agent"


def test_an_explanation_changes_nothing(api: APIClient) -> None:
    task = factories.pending()
    get(api, task, "explain")
    assert factories.reread(task).reason_code == task.reason_code


def test_a_finished_task_waits_for_nothing(api: APIClient) -> None:
    explained = get(api, factories.applied(), "explain").json()
    assert "wait" not in {gate["result"] for gate in explained["gates"]}
    assert explained["wait_reason"] is None
