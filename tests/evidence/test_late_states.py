"""A state that comes too late is refused and kept aside: listed, and given only to who may see states."""

from typing import Any

import pytest
from django.test import Client, override_settings
from rest_framework.test import APIClient

from agents import orphans
from tasks import removal
from tasks.models import Task
from tests import factories as rows
from tests.evidence import people
from tests.evidence.words import attempt_of
from tests.tasks import factories
from workspaces import kept_states
from workspaces.models import KeptState, StateLock, StateVersion

pytestmark = pytest.mark.django_db(transaction=True)


def push(task: Task, content: bytes, *, query: str = "", method: str = "POST") -> Any:
    """Return the answer to a write with the token of the attempt that this row of the task had."""
    headers = {"Authorization": f"Bearer {attempt_of(task).token}"}
    address = f"/api/v1/workspaces/{task.workspace_id}/state{query}"
    return Client().generic(method, address, content, content_type="application/json", headers=headers)


def listed(client: APIClient, task: Task) -> Any:
    return client.get(f"/api/v1/workspaces/{task.workspace_id}/state-versions/kept-aside")


def lock(task: Task) -> StateLock:
    """Lock the state as the attempt that this row of the task had."""
    names = {"holder": f"task:{task.pk}", "task_id": task.pk, "epoch": task.epoch, "phase": "apply"}
    return StateLock.objects.create(workspace=task.workspace, lock_id="l-1", info={"ID": "l-1"}, **names)


@pytest.fixture
def api() -> APIClient:
    return rows.client(rows.admin())


def test_of_an_attempt_that_is_over_it_is_refused_and_kept(given_up: Task) -> None:
    answer = push(given_up, rows.state(5, resources=2), query="?ID=l-1")
    kept = KeptState.objects.get()
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_epoch")
    assert answer.json()["kept_aside"] == kept.pk and f"number {kept.pk}" in answer.json()["detail"]
    assert (kept.serial, kept.resources, kept.task_id, kept.epoch) == (5, 2, given_up.pk, given_up.epoch)
    assert kept.content() == rows.state(5, resources=2) and kept.created_by == f"task:{given_up.pk} apply 1"
    assert not StateVersion.objects.exists()


def test_of_an_attempt_that_has_ended_it_is_kept(ada: Any) -> None:
    task = factories.finish(factories.applying(on=ada), "cancelled", exit_code=1)
    answer = push(task, rows.state(5))
    assert (answer.status_code, answer.json()["code"]) == (409, "attempt_closed")
    assert KeptState.objects.count() == 1


def test_a_lost_apply_whose_lock_a_person_released_writes_no_state(lost: Task) -> None:
    lock(lost)
    people.silence(lost)
    orphans.release(lost, by=factories.person(), reason="Its host burnt down.")
    late = push(lost, rows.state(5), query="?ID=l-1")
    assert (late.status_code, late.json()["code"]) == (409, "state_released")
    assert "A person let go of the state lock" in KeptState.objects.get().why
    again = push(lost, b'{"ID": "l-2"}', method="LOCK")
    assert (again.status_code, again.json()["code"]) == (409, "state_released")
    assert not StateVersion.objects.exists() and not StateLock.objects.exists()


def test_a_lost_apply_whose_lock_holds_still_writes(lost: Task) -> None:
    lock(lost)
    assert push(lost, rows.state(5), query="?ID=l-1").status_code == 200
    assert StateVersion.objects.get().serial == 5 and not KeptState.objects.exists()


def test_under_the_lock_of_somebody_else_it_is_kept(lost: Task) -> None:
    StateLock.objects.create(workspace=lost.workspace, lock_id="l-9", info={"ID": "l-9"}, holder="user:bob")
    answer = push(lost, rows.state(5), query="?ID=l-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "state_locked")
    assert "user:bob" in KeptState.objects.get().why


@pytest.mark.parametrize(
    "content",
    [rows.state(5, lineage="another"), rows.state(3), rows.state(4, note="other")],
    ids=["lineage", "old", "same"],
)
def test_one_that_does_not_follow_is_kept(lost: Task, content: bytes) -> None:
    factories.store_state(lost.workspace_id, serial=4)
    answer = push(lost, content)
    assert (answer.status_code, answer.json()["code"]) == (409, "state_refused")
    assert KeptState.objects.get().content() == content
    assert StateVersion.objects.count() == 1


def test_a_person_s_push_that_does_not_follow_is_not_kept(api: APIClient, lost: Task) -> None:
    factories.store_state(lost.workspace_id, serial=4)
    address = f"/api/v1/workspaces/{lost.workspace_id}/state"
    assert api.generic("POST", address, rows.state(3).decode(), content_type="application/json").status_code == 409
    assert not KeptState.objects.exists()


def test_what_is_stored_already_is_no_evidence(lost: Task) -> None:
    """Scenario S9: the answer to a write was lost, and the same comes again when the attempt is over."""
    assert push(lost, rows.state(5)).status_code == 200
    people.mark_failed(lost)
    assert push(lost, rows.state(5)).status_code == 200
    assert StateVersion.objects.count() == 1 and not KeptState.objects.exists()


def test_the_same_body_twice_is_kept_once(given_up: Task) -> None:
    first, second = (push(given_up, rows.state(5)).json()["kept_aside"] for _ in range(2))
    assert first == second and KeptState.objects.count() == 1


def test_of_one_task_so_many_are_kept_and_the_newest_of_them(given_up: Task) -> None:
    for serial in range(1, kept_states.MOST + 4):
        push(given_up, rows.state(serial))
    assert [kept.serial for kept in KeptState.objects.order_by("id")] == list(range(4, kept_states.MOST + 4))


def test_of_one_task_so_many_bytes_are_kept(given_up: Task) -> None:
    size = len(rows.state(1))
    with override_settings(STATE_MAX_BYTES=size):  # and so two of them are kept
        for serial in range(1, 6):
            push(given_up, rows.state(serial))
    assert [kept.serial for kept in KeptState.objects.order_by("id")] == [4, 5]


@pytest.mark.parametrize("content", [b"", b"{", b"no state"])
def test_what_is_no_state_is_not_kept(given_up: Task, content: bytes) -> None:
    assert push(given_up, content).status_code == 400
    assert not KeptState.objects.exists()


def test_an_apply_that_was_never_permitted_leaves_nothing(ada: Any) -> None:
    task = factories.applying(on=ada, permitted=False)
    factories.lose(task)
    assert push(task, rows.state(5)).status_code == 403
    assert not KeptState.objects.exists()


def test_an_attempt_that_is_over_reads_nothing(given_up: Task) -> None:
    for method in ("GET", "LOCK", "UNLOCK"):
        assert push(given_up, b'{"ID": "l-1"}', method=method).status_code == 410


def test_it_is_listed_without_its_content(api: APIClient, given_up: Task) -> None:
    push(given_up, rows.state(5, note="a secret"))
    (row,) = listed(api, given_up).json()["results"]
    kept = KeptState.objects.get()
    assert row["id"] == kept.pk and row["serial"] == 5 and row["task_id"] == given_up.pk and row["why"] == kept.why
    assert "a secret" not in str(row) and "content" not in row


def test_it_is_sealed_and_logged_nowhere(given_up: Task, caplog: pytest.LogCaptureFixture) -> None:
    push(given_up, rows.state(5, note="a secret"))
    assert b"a secret" not in bytes(KeptState.objects.get().sealed_content)
    assert "a secret" not in caplog.text


def test_a_person_adopts_it_by_uploading_it(api: APIClient, given_up: Task) -> None:
    push(given_up, rows.state(5, resources=2))
    address = f"/api/v1/workspaces/{given_up.workspace_id}/state-versions"
    content = api.get(f"{address}/kept-aside/{KeptState.objects.get().pk}?content=true")
    assert content["Content-Disposition"].startswith("attachment") and content.content == rows.state(5, resources=2)
    answer = api.generic("POST", address, content.content, content_type="application/json")
    assert answer.status_code == 201 and StateVersion.objects.get().serial == 5


def test_only_who_may_see_states_sees_it(given_up: Task) -> None:
    push(given_up, rows.state(5))
    pk = KeptState.objects.get().pk
    seer = rows.client(rows.person("workspaces.view_workspace", "workspaces.view_stateversion"))
    other = rows.client(rows.person("workspaces.view_workspace", "tasks.view_task"))
    address = f"/api/v1/workspaces/{given_up.workspace_id}/state-versions/kept-aside"
    assert seer.get(f"{address}/{pk}?content=true").status_code == 200
    assert other.get(address).json()["results"] == []
    assert [other.get(f"{address}/{pk}{query}").status_code for query in ("", "?content=true")] == [404, 404]
    elsewhere = rows.workspace()
    assert seer.get(address.replace(given_up.workspace_id, elsewhere.pk) + f"/{pk}").status_code == 404


def test_it_goes_with_its_workspace(given_up: Task) -> None:
    push(given_up, rows.state(5))
    removal.remove(given_up.workspace, force=True)
    assert not KeptState.objects.exists()
