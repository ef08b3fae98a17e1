"""A person lets go of a state lock through the task that it stops: only when its holder is gone."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from iacplatform.base import clock
from tasks.models import Task
from tests import factories as rows
from tests.tasks import factories
from workspaces.models import StateLock, Workspace

pytestmark = pytest.mark.django_db


def held_by(holder: Task, **columns: Any) -> StateLock:
    """Lock the state of the task's workspace as its current attempt would."""
    known = {"holder": f"task:{holder.pk}", "task_id": holder.pk, "epoch": holder.epoch, "phase": holder.phase}
    return lock(holder.workspace, **{**known, "agent_id": holder.agent_id, **columns})


def lock(workspace: Workspace, **columns: Any) -> StateLock:
    return StateLock.objects.create(workspace=workspace, lock_id="lock-1", info={"Operation": "apply"}, **columns)


def release(api: APIClient, task: Task, reason: str = "Looked at it.") -> Any:
    address = f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/release-lock"
    return api.post(address, {"reason": reason}, format="json")


def test_a_lock_whose_attempt_has_ended_is_released(api: APIClient) -> None:
    gone = factories.applying()
    held_by(gone)
    factories.finish(gone, "failed", exit_code=1)
    waiting = factories.pending(workspace=gone.workspace)
    answer = release(api, waiting)
    assert answer.status_code == 200, answer.content
    assert not StateLock.objects.exists()
    event = waiting.events.get(event="state_lock_released")
    assert (event.actor, "Looked at it." in event.reason) == ("user:ann", True)


def test_a_lock_of_a_running_apply_stays(api: APIClient) -> None:
    holder = factories.applying()
    held_by(holder)
    answer = release(api, holder)
    assert (answer.status_code, answer.json()["code"]) == (409, "holder_lives")
    assert f"task {holder.pk}" in answer.json()["detail"]
    assert StateLock.objects.exists()


def test_a_lost_apply_keeps_its_lock_until_its_agent_was_silent_for_a_whole_lease(api: APIClient) -> None:
    holder = factories.applying(on=factories.agent(connected=True))
    held_by(holder)
    factories.lose(holder)
    assert release(api, holder).json()["code"] == "holder_lives"
    clock.shift(timedelta(minutes=1))
    assert release(api, holder).status_code == 200
    assert not StateLock.objects.exists()
    why = holder.events.get(event="state_lock_released").reason
    assert "was not heard of since" in why and "is over" not in why, "its engine may have outlived its agent"


def test_a_lock_of_a_deleted_agent_s_lost_apply_is_released(api: APIClient) -> None:
    agent = factories.agent(connected=True)
    holder = factories.applying(on=agent)
    held_by(holder)
    factories.lose(holder)
    agent.delete()
    assert release(api, holder).status_code == 200


def test_a_lock_of_a_task_that_is_no_more_is_released(api: APIClient) -> None:
    task = factories.pending()
    lock(task.workspace, holder="task:1", task_id=10**9, epoch=1, phase="apply")
    assert release(api, task).status_code == 200


def test_a_person_s_lock_stays_and_says_how_to_break_it(api: APIClient) -> None:
    task = factories.pending()
    lock(task.workspace, holder="user:bob")
    answer = release(api, task)
    assert (answer.status_code, answer.json()["code"]) == (409, "holder_lives")
    assert "force-unlock lock-1" in answer.json()["detail"]


def test_without_a_lock_there_is_nothing_to_release(api: APIClient) -> None:
    answer = release(api, factories.pending())
    assert (answer.status_code, answer.json()["code"]) == (409, "not_locked")


def test_a_task_that_waits_for_a_state_lock_offers_to_release_it(api: APIClient) -> None:
    gone = factories.applying()
    held_by(gone)
    task = factories.pending(workspace=gone.workspace)
    Task.objects.filter(pk=task.pk).update(reason_code="state_locked")
    assert "release-lock" not in api.get(f"/api/v1/tasks/{task.pk}").json()["actions"]
    factories.finish(gone, "failed", exit_code=1)
    assert "release-lock" in api.get(f"/api/v1/tasks/{task.pk}").json()["actions"]
    viewer = rows.client(rows.person("tasks.view_task"))
    assert viewer.get(f"/api/v1/tasks/{task.pk}").json()["actions"] == []
