"""An agent wakes up when its apply was given up and another task runs: what it brings is kept, and moves nothing."""

import signal

import pytest

from tests.e2e.client import Row
from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.e2e.surroundings import SHORT_LEASE
from tests.e2e.work import Task
from tests.waiting import until


@pytest.mark.server(**SHORT_LEASE)
def test_a_sleeper_brings_log_result_and_state_of_an_apply_that_was_given_up(crew: Crew, gated: Gated) -> None:
    sleeper = crew.agent("sleeper")
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the log is followed", lambda: b"tick 5\n" in task.log_now("apply"))
    sleeper.signal(signal.SIGSTOP)
    task.until("needs_attention")
    _assert_shown(task)
    assert task.do("mark-failed", reason="It sleeps.")["status"] == "failed"

    crew.agent("heir")
    heir = task.workspace.task()
    until("the next apply runs beside the lost engine", lambda: gated.ledger() == ["begun", "begun"])
    gated.open()
    heir.until("applied")
    until("the lost engine has ended as well", lambda: gated.ledger().count("ended") == 2)
    version = task.workspace.states()
    before = task.row()
    sleeper.signal(signal.SIGCONT)

    late = until("its evidence is here", lambda: _evidence(task))
    assert all((each["phase"], each["attempt"]) == ("apply", 1) for each in late.values())
    _assert_whole(gated, task)
    _assert_kept(task, late["state"]["kept_state"])
    assert task.row() == before and heir.row()["status"] == "applied"
    assert task.workspace.states() == version and not task.workspace.row()["is_locked"]
    until("its work folder is gone", lambda: not (crew.workdir("sleeper") / "tasks" / str(task.id)).exists())


def _assert_shown(task: Task) -> None:
    """The page of the lost task can say all that there is to know."""
    found = until("the lock is orphaned", lambda: _aftermath(task, "orphaned"))
    assert "tick" in found["last_log_line"] and found["last_heartbeat_at"] and found["last_log_at"]
    assert found["resources_after_last_serial"] == [{"address": "terraform_data.first", "action": "create"}]
    assert found["state_lock"]["holder"] == f"task:{task.id}" and "was not heard of" in found["holder_text"]
    assert {"mark-failed", "retry", "release-lock"} <= set(task.row()["actions"])


def _aftermath(task: Task, holder: str) -> Row | None:
    found = task.client.get(f"{task.path}/aftermath")["aftermath"]
    return found if found["holder"] == holder else None


def _evidence(task: Task) -> dict[str, Row] | None:
    found = {each["kind"]: each for each in task.client.get(f"{task.path}/evidence")["results"]}
    return found if found.keys() == {"log", "result", "state"} else None


def _assert_whole(gated: Gated, task: Task) -> None:
    """Of the log of the lost attempt no byte is missing, up to the words of the engine and of the agent at its end."""
    log = task.log("apply")
    counted = gated.ticks_in(log)
    assert counted == list(range(1, len(counted) + 1)) and len(counted) > 5
    assert "Creation complete" in log.rpartition(": tick ")[2]
    assert "kept aside as number" in log


def _assert_kept(task: Task, number: object) -> None:
    path = f"{task.workspace.path}/state-versions/kept-aside"
    assert number in [row["id"] for row in task.client.get(path)["results"]]
    kept = task.client.get(f"{path}/{number}", params={"content": "true"})
    assert {each["name"] for each in kept["resources"]} == {"first", "second"}
    assert kept["lineage"] != (task.workspace.state() or {})["lineage"]
