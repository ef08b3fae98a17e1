"""A task that costs three agents their life fails with every cause; the pool goes on (scenario S18)."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.configurations import SlowPlan, trivial
from tests.e2e.crew import Crew
from tests.e2e.work import Task
from tests.waiting import until

MOST_ATTEMPTS = 3


@pytest.mark.slow
def test_a_task_that_loses_its_agent_three_times_fails_and_the_pool_survives(crew: Crew, tmp_path: Path) -> None:
    crew.agent("victim")
    poison = SlowPlan(tmp_path)
    workspace = crew.workspace(poison.files)
    workspace.set(*poison.variable)
    task = workspace.task()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        _plans(task, attempt)
        _kill_host(crew, "victim")
        crew.agent("victim")
        if attempt < MOST_ATTEMPTS:
            _goes_on(task, attempt)
    failed = task.until("failed")
    assert failed["error_code"] == "attempts_exhausted"
    assert failed["error_message"].count("The agent came back without it.") == MOST_ATTEMPTS
    assert len(task.happened("accepted")) == MOST_ATTEMPTS
    crew.workspace(trivial()).task().until("apply_pending")


def _plans(task: Task, attempt: int) -> None:
    def seen() -> bool:
        row = task.row()
        return (row["stage"], row["attempt"]) == ("planning", attempt)

    until(f"attempt {attempt} plans", seen)


def _goes_on(task: Task, attempt: int) -> None:
    until("it backs off", lambda: len(task.happened("interrupted")) == attempt)
    task.hurry()


def _kill_host(crew: Crew, name: str) -> None:
    crew.part(name).kill()
    for pid in crew.engines(name):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
