"""What was waited for ends, and the next task goes on in that moment: not by a timer, and not by django-q2."""

from datetime import datetime, timedelta

import pytest

from tests.e2e.configurations import Gated, trivial
from tests.e2e.crew import Crew
from tests.e2e.work import Task

AT_ONCE = timedelta(seconds=4)
"""Nothing else could have done it so soon: without jobs a web process sweeps, when the last sweep is 10 s old."""


@pytest.fixture
def without_jobs(crew: Crew) -> Crew:
    """The crew of a platform whose django-q2 cluster is stopped."""
    crew.platform.jobs.stop()
    return crew


def test_the_next_task_of_a_workspace_starts_when_the_first_ends(without_jobs: Crew, gated: Gated) -> None:
    without_jobs.agent("one")
    workspace = without_jobs.workspace(gated.files, auto_apply=True)
    first, second = workspace.task(), workspace.task()
    waits = second.row()
    assert (waits["status"], waits["wait_reason"]["code"]) == ("waiting", "queued_behind")
    assert waits["wait_reason"]["blocker"] == {"kind": "task", "id": str(first.id)}
    gated.open()
    first.until("applied")
    second.until("success")
    assert _moment(second, "unblocked") - _moment(first, "applied") < AT_ONCE
    assert _moment(second, "offered") - _moment(first, "applied") < AT_ONCE


def test_a_task_without_an_agent_starts_when_one_connects(without_jobs: Crew) -> None:
    task = without_jobs.workspace(trivial()).task()
    waits = task.row()["wait_reason"]
    assert (waits["code"], waits["turn"]) == ("no_connected_agent", "person")
    assert task.explain()["wait_reason"]["code"] == "no_connected_agent"
    without_jobs.agent("late")
    task.until("apply_pending")


def test_a_task_without_a_slot_starts_when_one_is_free(without_jobs: Crew, gated: Gated) -> None:
    without_jobs.agent("one")
    holder = without_jobs.workspace(gated.files, auto_apply=True).task()
    holder.until_stage("applying")
    task = without_jobs.workspace(trivial()).task()
    assert task.row()["wait_reason"]["code"] == "no_free_slot"
    gated.open()
    task.until("apply_pending")
    assert _moment(task, "offered") - _moment(holder, "applied") < AT_ONCE


def test_an_unlocked_workspace_goes_on_at_once(without_jobs: Crew) -> None:
    without_jobs.agent("one")
    workspace = without_jobs.workspace(trivial())
    without_jobs.client.post(f"{workspace.path}/lock", {"reason": "Looking at it."})
    task = workspace.task()
    assert task.row()["wait_reason"]["code"] == "workspace_locked"
    without_jobs.client.post(f"{workspace.path}/unlock")
    task.until("apply_pending")


def _moment(task: Task, event: str) -> datetime:
    """Return when this happened to the task first."""
    return next(datetime.fromisoformat(move["at"]) for move in task.events() if move["event"] == event)
