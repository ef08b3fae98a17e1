"""What people do to tasks in the API: `actions` names exactly what works now, and everything else is a problem."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tasks import actions
from tasks.models import Task
from tests.tasks import factories

pytestmark = pytest.mark.django_db

VERBS = sorted({each.name for each in actions.ACTIONS} - {"unlock"})
OPEN: dict[Callable[..., Task], set[str]] = {
    factories.pending: {"retry", "cancel"},
    factories.offered: {"retry", "cancel"},
    factories.backing_off: {"retry", "cancel"},
    factories.planning: {"cancel"},
    factories.cancelling: {"force-cancel"},
    factories.awaiting_confirmation: {"confirm-apply", "discard", "cancel"},
    factories.stale: {"retry", "discard", "cancel"},
    factories.confirmed: {"retry", "cancel"},
    factories.applying: {"cancel"},
    factories.needing_attention: {"retry", "mark-failed"},
    factories.succeeded: set(),
    factories.applied: set(),
    factories.failed: {"retry"},
    factories.discarded: {"retry"},
    factories.cancelled: {"retry"},
}
HARMLESS = {
    (factories.cancelling, "cancel"),
    (factories.confirmed, "confirm-apply"),
    (factories.applying, "confirm-apply"),
    (factories.applied, "confirm-apply"),
    (factories.needing_attention, "confirm-apply"),
    (factories.discarded, "discard"),
    (factories.cancelled, "cancel"),
    (factories.cancelled, "force-cancel"),
}
"""Not offered, because it was done; still no mistake."""


@pytest.fixture(autouse=True)
def _news(django_capture_on_commit_callbacks: Any) -> Any:
    with django_capture_on_commit_callbacks(execute=False):
        yield


def do(api: APIClient, task: Task, verb: str, **body: Any) -> Any:
    return api.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/{verb}", body, format="json")


def made(make: Callable[..., Task]) -> Task:
    task = make()
    if make is factories.stale:
        # In a test without commits the news that says so is not sent.
        Task.objects.filter(pk=task.pk).update(reason_code="plan_stale")
    return factories.reread(task)


@pytest.mark.parametrize("make", OPEN, ids=lambda make: make.__name__)
def test_a_task_says_what_its_reader_may_do_now(api: APIClient, make: Callable[..., Task]) -> None:
    task = made(make)
    shown = api.get(f"/api/v1/tasks/{task.pk}").json()
    assert set(shown["actions"]) == OPEN[make]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("make", OPEN, ids=lambda make: make.__name__)
def test_what_is_offered_works_and_what_is_not_is_refused(api: APIClient, make: Callable[..., Task], verb: str) -> None:
    task = made(make)
    answer = do(api, task, verb, **({"reason": "Seen."} if verb == "mark-failed" else {}))
    if verb in OPEN[make] or (make, verb) in HARMLESS:
        assert answer.status_code in {200, 201, 202}, answer.content
        return
    assert answer.status_code == 409, answer.content
    assert answer.json()["detail"].endswith(".")
    assert factories.reread(task).status == task.status


def test_a_plan_is_discarded(api: APIClient) -> None:
    answer = do(api, factories.awaiting_confirmation(), "discard")
    assert (answer.status_code, answer.json()["status"], answer.json()["actions"]) == (200, "discarded", ["retry"])


def test_a_running_plan_is_asked_to_stop_and_then_not_waited_for(api: APIClient) -> None:
    task = factories.planning()
    assert do(api, task, "force-cancel").json()["code"] == "illegal_move"
    asked = do(api, task, "cancel").json()
    assert (asked["status"], asked["stage"], asked["actions"]) == ("running", "cancelling", ["force-cancel"])
    assert do(api, task, "cancel").status_code == 200
    assert do(api, task, "force-cancel").json()["status"] == "cancelled"


def test_an_ended_task_is_retried_as_a_new_one(api: APIClient) -> None:
    task = factories.failed()
    answer = do(api, task, "retry")
    assert answer.status_code == 201
    assert answer.json()["id"] != task.pk
    assert answer.json()["status"] == "pending"
    assert answer.json()["dispatch"]["outcome"] in {"waiting", "deferred"}
    assert factories.reread(task).status == "failed"


def test_a_lost_apply_is_marked_as_failed_with_a_reason(api: APIClient) -> None:
    task = factories.needing_attention()
    answer = do(api, task, "mark-failed", reason="Looked at it: nothing was made.")
    shown = answer.json()
    assert (answer.status_code, shown["status"], shown["error_code"]) == (200, "failed", "marked_failed")
    assert shown["error_message"] == "Looked at it: nothing was made."
    assert not factories.reread(task).workspace.is_locked


def test_a_lost_apply_is_retried_as_a_new_task(api: APIClient) -> None:
    task = factories.needing_attention()
    answer = do(api, task, "retry")
    assert (answer.status_code, answer.json()["task_type"]) == (201, "plan_and_apply")
    assert factories.reread(task).status == "failed"


def test_a_finished_task_is_not_retried(api: APIClient) -> None:
    answer = do(api, factories.applied(), "retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_retryable")
