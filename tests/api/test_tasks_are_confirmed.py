"""Confirming a plan in the API: what is answered is what happened (incident 484)."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from agents import dispatcher
from tasks.models import Task
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def confirm(api: APIClient, task: Task, **body: Any) -> Any:
    return api.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/confirm-apply", body, format="json")


def test_a_confirmed_task_is_offered_in_the_same_call(api: APIClient) -> None:
    ada = factories.agent("ada", connected=True)
    task = factories.awaiting_confirmation(on=ada)
    answer = confirm(api, task, apply_description="Read it.", plan_digest=task.plan_digest)
    assert answer.status_code == 202, answer.content
    shown = answer.json()
    assert shown["dispatch"] == {"outcome": "offered", "agent_id": ada.pk, "slot": 0, "wait_reason": None}
    assert (shown["status"], shown["stage"], shown["confirmed_by"]) == ("confirmed", "offered", "ann")
    assert shown["apply_description"] == "Read it."


def test_without_an_agent_the_answer_says_what_it_waits_for(api: APIClient) -> None:
    answer = confirm(api, factories.awaiting_confirmation())
    dispatch = answer.json()["dispatch"]
    assert (answer.status_code, dispatch["outcome"], dispatch["agent_id"]) == (202, "waiting", None)
    assert dispatch["wait_reason"]["code"] == "no_connected_agent"


def test_a_second_click_is_nothing_new_and_looks_for_a_slot_again(api: APIClient) -> None:
    task = factories.awaiting_confirmation()
    assert confirm(api, task).status_code == 202
    factories.agent("late", connected=True)
    again = confirm(api, task, apply_description="Again.")
    assert (again.status_code, again.json()["dispatch"]["outcome"]) == (200, "offered")
    assert again.json()["apply_description"] == ""
    assert [event.event for event in task.events.all()].count("confirm") == 1


def test_a_second_click_after_the_offer_says_which_slot_it_has(api: APIClient) -> None:
    task = factories.applying()
    again = confirm(api, task)
    assert (again.status_code, again.json()["status"]) == (200, task.status)
    slot = {"agent_id": task.agent_id, "slot": task.slot}
    assert again.json()["dispatch"] == {"outcome": "offered", **slot, "wait_reason": None}


def test_confirming_again_what_was_applied_speaks_of_no_offer(api: APIClient) -> None:
    answer = confirm(api, factories.applied())
    assert (answer.status_code, answer.json()["status"]) == (200, "applied")
    assert answer.json()["dispatch"] == {"outcome": "ended", "agent_id": None, "slot": None, "wait_reason": None}
    assert "was confirmed before" in answer.json()["message"]


def test_a_dispatcher_that_breaks_does_not_undo_the_confirmation(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("away")

    task = factories.awaiting_confirmation()
    monkeypatch.setattr(dispatcher, "dispatch", broken)
    answer = confirm(api, task)
    assert (answer.status_code, answer.json()["status"]) == (202, "confirmed")
    assert answer.json()["dispatch"]["outcome"] == "deferred"
    assert answer.json()["dispatch"]["wait_reason"]["code"] == "dispatch_failed"


def test_a_wrong_digest_is_refused(api: APIClient) -> None:
    task = factories.awaiting_confirmation()
    answer = confirm(api, task, plan_digest="0" * 64)
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_changed")
    assert task.plan_digest in answer.json()["detail"]
    assert factories.reread(task).status == "apply_pending"


def test_after_a_new_plan_the_digest_has_to_be_given(api: APIClient) -> None:
    task = factories.stale()
    retry = api.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/retry")
    assert (retry.status_code, retry.json()["status"], retry.json()["id"]) == (202, "pending", task.pk)
    second = factories.awaiting_confirmation(factories.running(task))
    assert confirm(api, second).json()["code"] == "plan_changed"
    assert confirm(api, second, plan_digest=task.plan_digest).json()["code"] == "plan_changed"
    assert confirm(api, second, plan_digest=second.plan_digest).status_code == 202


def test_a_stale_plan_is_not_confirmed(api: APIClient) -> None:
    answer = confirm(api, factories.stale())
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_stale")


def test_a_task_without_a_plan_is_not_confirmed(api: APIClient) -> None:
    answer = confirm(api, factories.pending())
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_move")
    assert "has no plan" in answer.json()["detail"]
