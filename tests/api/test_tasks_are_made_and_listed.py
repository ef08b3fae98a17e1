"""Tasks in the API: made for a workspace, listed, narrowed, shown."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tasks.models import Task
from tests import factories as rows
from tests.tasks import factories
from workspaces.models import Workspace

TASKS = "/api/v1/tasks"
CONTRACT = {
    *(
        "id",
        "workspace_id",
        "task_type",
        "status",
        "stage",
        "execution_mode",
        "agent_id",
        "pod_name",
        "slot",
        "attempt",
    ),
    *("retry_count", "max_retries", "description", "apply_description", "created_by", "confirmed_by", "confirmed_at"),
    *(
        "created_at",
        "started_at",
        "updated_at",
        "completed_at",
        "error_code",
        "error_message",
        "changes",
        "plan_digest",
    ),
    *("wait_reason", "stuck", "actions"),
}
REASON = {
    *("code", "turn", "message", "since", "blocker", "evidence", "remedy", "next_check_at", "deadline", "actions"),
}

pytestmark = pytest.mark.django_db


def of(workspace: Workspace) -> str:
    return f"/api/v1/workspaces/{workspace.pk}/tasks"


def ids(answer: Any) -> list[int]:
    return [each["id"] for each in answer.json()["results"]]


def test_a_task_is_made_with_the_fields_of_the_contract(api: APIClient) -> None:
    workspace = rows.configured()
    answer = api.post(of(workspace), {"task_type": "plan", "description": "Look"}, format="json")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made.keys() >= CONTRACT
    wanted = {"workspace_id": workspace.pk, "task_type": "plan", "status": "pending", "description": "Look"}
    assert wanted.items() <= made.items()
    known = {"execution_mode": "local", "created_by": "ann", "confirmed_by": None, "max_retries": 3, "stuck": False}
    assert known.items() <= made.items()
    assert made["wait_reason"].keys() == REASON
    assert api.get(f"{TASKS}/{made['id']}").json()["id"] == made["id"]


def test_a_task_plans_and_applies_unless_it_is_told_otherwise(api: APIClient) -> None:
    answer = api.post(of(rows.configured()))
    assert (answer.status_code, answer.json()["task_type"]) == (201, "plan_and_apply")


def test_a_second_task_says_whom_it_waits_for(api: APIClient) -> None:
    first = factories.planning()
    made = api.post(of(first.workspace), {}, format="json").json()
    assert made["status"] == "waiting"
    assert (made["wait_reason"]["code"], made["wait_reason"]["turn"]) == ("queued_behind", "machine")
    assert made["wait_reason"]["blocker"] == {"kind": "task", "id": str(first.pk)}


def test_without_a_configuration_there_is_no_task(api: APIClient) -> None:
    answer = api.post(of(rows.workspace()), {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_configuration")
    assert "configurations" in answer.json()["detail"]
    assert not Task.objects.exists()


def test_a_finished_task_has_no_reason_to_wait(api: APIClient) -> None:
    task = factories.applied()
    shown = api.get(f"{of(task.workspace)}/{task.pk}").json()
    assert (shown["status"], shown["wait_reason"]) == ("applied", None)
    assert shown["changes"] == {"add": 1, "change": 0, "destroy": 0}
    assert (shown["confirmed_by"], shown["plan_digest"]) == ("ann", task.plan_digest)


def test_the_slot_stays_named_while_it_is_reserved(api: APIClient) -> None:
    ada = factories.agent("ada")
    task = factories.awaiting_confirmation(on=ada)
    shown = api.get(f"{TASKS}/{task.pk}").json()
    assert (shown["agent_id"], shown["slot"]) == (ada.pk, 0)


def test_lists_go_from_the_newest_to_the_oldest(api: APIClient) -> None:
    tasks = [factories.pending().pk for _ in range(3)]
    assert ids(api.get(TASKS)) == tasks[::-1]


def test_a_workspace_lists_its_own_tasks(api: APIClient) -> None:
    mine, _ = factories.pending(), factories.pending()
    assert ids(api.get(of(mine.workspace))) == [mine.pk]


def test_lists_are_narrowed_by_status(api: APIClient) -> None:
    pending, running, failed = factories.pending(), factories.planning(), factories.failed()
    assert ids(api.get(TASKS, {"status": "running"})) == [running.pk]
    assert ids(api.get(TASKS, {"status": ["pending", "failed"]})) == [failed.pk, pending.pk]


def test_lists_are_narrowed_to_what_is_stuck(api: APIClient) -> None:
    lost, fine = factories.needing_attention(), factories.pending()
    assert ids(api.get(TASKS, {"stuck": "true"})) == [lost.pk]
    assert ids(api.get(TASKS, {"stuck": "false"})) == [fine.pk]
    assert api.get(f"{TASKS}/{lost.pk}").json()["stuck"] is True


def test_lists_are_narrowed_by_workspace_and_pool(api: APIClient) -> None:
    pool = rows.pool()
    elsewhere = factories.pending(workspace=rows.configured(execution_mode="agent", pool=pool))
    here = factories.pending()
    assert ids(api.get(TASKS, {"workspace_id": here.workspace_id})) == [here.pk]
    assert ids(api.get(TASKS, {"pool_id": pool.pk})) == [elsewhere.pk]


@pytest.mark.parametrize(
    "query", [{"status": "asleep"}, {"stuck": "maybe"}, {"page_size": "-1"}, {"page_size": "many"}]
)
def test_a_filter_that_means_nothing_is_refused(api: APIClient, query: dict[str, str]) -> None:
    answer = api.get(TASKS, query)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_long_list_asks_as_few_questions_as_a_short_one(api: APIClient, ann: User) -> None:
    factories.pending()
    short = _queries(api)
    for _ in range(5):
        factories.pending(by=ann)
        factories.awaiting_confirmation(by=ann)
    assert _queries(api) == short


def _queries(api: APIClient) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert api.get(TASKS).status_code == 200
    return len(asked)


@pytest.mark.parametrize("name", ["workspace_id", "pool_id"])
@pytest.mark.parametrize("unknown", ["nothing-of-ours", "%00", "9" * 5000])
def test_a_filter_names_what_there_is_or_is_refused_in_a_sentence(api: APIClient, name: str, unknown: str) -> None:
    answer = api.get(f"{TASKS}?{name}={unknown}")
    assert answer.status_code == 400
    assert answer.json()["errors"][name]


def test_what_may_not_be_seen_cannot_be_named_by_a_filter() -> None:
    task = factories.pending()
    nosy = rows.client(rows.person("tasks.view_task"))
    answer = nosy.get(f"{TASKS}?workspace_id={task.workspace_id}")
    assert answer.status_code == 400
    assert answer.json()["errors"]["workspace_id"] == ["There is no such workspace, or none that you may see."]
