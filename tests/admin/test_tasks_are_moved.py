"""Tasks in the admin are moved by the verbs that everyone calls, each by itself; each row says what came of it."""

from collections.abc import Callable

import pytest
from django.test import Client

from agents.verbs import VERBS
from tasks import actions
from tasks.models import Task
from tests.admin.test_tasks_and_agents import act, address, boss, staff
from tests.tasks import factories
from workspaces import locks
from workspaces.models import StateLock

__all__ = ["boss"]

pytestmark = pytest.mark.django_db

RIGHTS = {
    "retry": actions.CREATE,
    "discard": actions.CONFIRM,
    "mark_failed": actions.RECOVER,
    "release_lock": actions.RECOVER,
    "unlock": actions.UNLOCK,
    "cancel": actions.CHANGE,
    "force_cancel": actions.RECOVER,
}
"""Every verb but the confirmation: in the admin nobody has read the plan."""


def said(task: Task, sentence: str) -> str:
    """Return what is told of a task."""
    return f"Task {task.pk} of workspace {task.workspace}: {sentence}"


def locked_by_a_dead_run() -> Task:
    """Return a task whose state is locked by an earlier task that has ended."""
    ended = factories.failed()
    held = {"holder": f"task:{ended.pk}", "task_id": ended.pk, "epoch": ended.epoch}
    StateLock.objects.create(workspace=ended.workspace, lock_id="l-1", info={}, **held)
    return factories.pending(workspace=ended.workspace)


def test_the_verbs_are_those_of_pages_and_api_without_the_confirmation() -> None:
    assert {name.replace("_", "-") for name in RIGHTS} | {"confirm-apply"} == VERBS.keys()


def test_each_task_is_cancelled_by_itself_and_each_answer_is_told(boss: Client) -> None:
    pending, applied = factories.pending(), factories.applied()
    told = act(boss, "cancel", pending, applied)
    assert told[0] == said(pending, "The task is cancelled.")
    assert told[1].startswith(said(applied, f"Task {applied.pk} is final"))
    assert factories.reread(pending).status == "cancelled"


def test_a_retried_task_is_followed_by_a_new_one_that_is_named(boss: Client) -> None:
    failed = factories.failed()
    told = act(boss, "retry", failed)
    new = Task.objects.latest("pk")
    assert new.workspace == failed.workspace and new.pk != failed.pk
    assert told[0].startswith(said(failed, "This is a new task")) and told[0].endswith(f"See task {new.pk}.")


@pytest.mark.django_db(transaction=True)
def test_retrying_a_confirmed_task_looks_for_a_slot_at_once(boss: Client) -> None:
    task = factories.confirmed(on=factories.agent("ada"))
    told = act(boss, "retry", task)
    assert told[0].startswith(said(task, "A slot was looked for again."))
    assert "No agent of pool local is connected" in told[0]


def test_a_plan_is_discarded(boss: Client) -> None:
    task = factories.awaiting_confirmation()
    assert act(boss, "discard", task) == [said(task, "The plan is discarded.")]
    assert factories.reread(task).status == "discarded"


def test_a_lost_apply_is_marked_as_failed_with_a_reason(boss: Client) -> None:
    task = factories.needing_attention()
    assert "Say why" in act(boss, "mark_failed", task)[0]
    assert factories.reread(task).status == "needs_attention"
    told = act(boss, "mark_failed", task, reason="looked at it")
    assert told == [
        said(
            task,
            f"The task is marked as failed and has let go of its locks. Workspace {task.workspace.name} is free.",
        )
    ]
    assert factories.reread(task).error_message == "looked at it"


def test_an_engine_that_does_not_stop_is_not_waited_for(boss: Client) -> None:
    task = factories.planning()
    assert "cancel it first" in act(boss, "force_cancel", task)[0]
    assert act(boss, "cancel", task) == [said(task, "The engine is asked to stop; then the task ends.")]
    assert act(boss, "force_cancel", task) == [said(task, "The task is cancelled; nobody waited for its engine.")]


def test_the_lock_of_a_dead_run_is_released_with_a_reason(boss: Client) -> None:
    task = locked_by_a_dead_run()
    assert "Say why" in act(boss, "release_lock", task)[0]
    assert act(boss, "release_lock", task, reason="it is dead")[0].startswith(said(task, "The state lock is released."))
    assert not StateLock.objects.exists()


def test_a_workspace_is_unlocked_from_its_task(boss: Client) -> None:
    workspace = factories.workspace()
    locks.lock(workspace, by=factories.person(), reason="moving house")
    task = factories.pending(workspace=workspace)
    assert act(boss, "unlock", task) == [said(task, f"Workspace {workspace.name} is unlocked.")]


def test_pressed_twice_the_second_answer_says_what_is_the_case(boss: Client) -> None:
    task = factories.needing_attention()
    act(boss, "mark_failed", task, reason="looked at it")
    again = act(boss, "mark_failed", task, reason="looked at it")
    assert "marked as failed before, by user:" in again[0]


@pytest.mark.parametrize("action", RIGHTS)
def test_each_verb_needs_its_own_right(action: str) -> None:
    task = factories.awaiting_confirmation()
    lists = address(Task, "changelist")
    viewer, other = staff("tasks.view_task"), staff("tasks.view_task", *({*RIGHTS.values()} - {*_rights_of(action)}))
    for client in (viewer, other):
        assert f'value="{action}"' not in client.get(lists).content.decode()
        client.post(lists, {"action": action, "_selected_action": [str(task.pk)], "reason": "why"})
    assert factories.reread(task).status == "apply_pending"
    assert f'value="{action}"' in staff("tasks.view_task", RIGHTS[action]).get(lists).content.decode()


def _rights_of(action: str) -> set[str]:
    name = action.replace("_", "-")
    return {each.permission for each in actions.ACTIONS if each.name == name}


def test_to_retry_a_lost_apply_needs_more_than_making_tasks() -> None:
    task = factories.needing_attention()
    told = act(staff("tasks.view_task", "tasks.add_task"), "retry", task)
    assert "tasks.recover_task" in told[0]
    assert factories.reread(task).status == "needs_attention"


@pytest.mark.parametrize("make", [factories.awaiting_confirmation, factories.stale], ids=["fresh", "stale"])
def test_no_plan_is_confirmed_where_none_is_read(boss: Client, make: Callable[[], Task]) -> None:
    task = make()
    boss.post(address(Task, "changelist"), {"action": "confirm_apply", "_selected_action": [str(task.pk)]})
    assert factories.reread(task).status == "apply_pending"
