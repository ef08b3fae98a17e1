"""Every code of a failed task for real: on API and page, and *retry* makes a new task of it.

That the agent's program finds `engine_missing`, `engine_failed` and time-outs by real engines: `tests/runner`.
"""

from collections.abc import Callable
from typing import Any

import pytest

from agents import reports
from agents.protocol import Finished
from tasks import recovery
from tasks.models import Task
from tests.console import pages
from tests.reasons.surroundings import Surroundings
from tests.tasks import factories

Failure = Callable[[Surroundings], Task]


def reported(code: str, *, phase: str = "plan") -> Failure:
    """Return what leads a task to the end that its agent reports with this code."""

    def _fail(around: Surroundings) -> Task:
        session = around.connect("ada")
        task = factories.awaiting_confirmation() if phase == "apply" else around.create()
        if phase == "apply":
            around.press(task, "confirm-apply", plan_digest=task.plan_digest)
        task = factories.reread(task)
        assert task.lease == "offered", (task.lease, task.reason)
        factories.running(task)
        said: dict[str, Any] = {
            "exit_code": 1,
            "seconds": 1.0,
            "log_bytes": 0,
            "error_code": code,
            "error_message": "It said no.",
        }
        reports.handle(session, Finished(task=task.pk, epoch=task.epoch, outcome="failed", **said))
        return task

    return _fail


def broken_off_three_times(around: Surroundings) -> Task:
    task = around.create()
    for name in ("ada", "bob", "cid"):
        around.later(recovery.BACK_OFF_SECONDS[-1])
        session = around.connect(name)
        task = factories.running(factories.reread(task))
        assert task.agent_id == session.agent_id
        around.silence(session.agent_id)
        around.sweep()
    assert task.attempts.count() == recovery.MOST_ATTEMPTS
    return task


def marked(around: Surroundings) -> Task:
    task = factories.needing_attention()
    around.press(task, "mark-failed", reason="Looked at it.")
    return task


ERRORS: dict[str, tuple[Failure, str]] = {
    "engine_missing": (reported("engine_missing"), "Failed: the agent has no such engine."),
    "engine_failed": (reported("engine_failed"), "Failed: the engine said no."),
    "plan_timeout": (reported("plan_timeout"), "Failed: the plan took longer than the workspace allows."),
    "apply_timeout": (
        reported("apply_timeout", phase="apply"),
        "Failed: the apply took longer than the workspace allows.",
    ),
    "attempts_exhausted": (broken_off_three_times, "Failed: every attempt broke off."),
    "marked_failed": (marked, "Failed: a person marked it as failed."),
}


@pytest.mark.parametrize("code", ERRORS)
def test_the_error_is_seen_and_retry_makes_a_new_task(around: Surroundings, code: str) -> None:
    fail, heading = ERRORS[code]
    task = fail(around)
    shown = around.shown(task)
    assert (shown["status"], shown["error_code"], shown["wait_reason"]) == ("failed", code, None)
    assert shown["error_message"]
    page = pages.text(around.console.get(pages.address(task)))
    assert heading in page
    assert shown["error_message"] in page
    assert shown["actions"] == ["retry"]
    answer = around.press(task, "retry")
    assert answer["id"] != task.pk
    assert answer["status"] in {"pending", "waiting"}
