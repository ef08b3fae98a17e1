"""An agent dies in mid-apply: nobody knows how the apply ended, so nothing is run again until a person has looked."""

import os
import signal
from contextlib import suppress

import pytest

from tests.e2e import sweeps
from tests.e2e.client import Row
from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.e2e.surroundings import SHORT_LEASE
from tests.e2e.work import Task
from tests.waiting import until


@pytest.fixture
def applying(crew: Crew, gated: Gated) -> Task:
    """A task in the middle of its apply, on the agent `doomed`."""
    crew.agent("doomed")
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the apply has begun", lambda: gated.ticks() > 5)
    return task


@pytest.mark.server(**SHORT_LEASE)
def test_a_lost_host_needs_attention_and_a_person_clears_it(crew: Crew, gated: Gated) -> None:
    crew.agent("doomed")
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the apply has begun", lambda: gated.ticks() > 5)
    _kill_host(crew, "doomed")
    lost = task.until("needs_attention")
    _assert_held(crew, task, lost)
    crew.agent("bystander")
    second = task.workspace.task()
    sweeps.let_them_run(crew, times=3)
    _assert_held(crew, task, task.row())
    assert second.row()["wait_reason"]["code"] == "workspace_locked"
    assert gated.ledger() == ["begun"]

    assert task.do("mark-failed", reason="The host burnt down.")["status"] == "failed"
    assert not task.workspace.row()["is_locked"]
    gated.open()
    second.until("applied")
    assert gated.ledger() == ["begun", "begun", "ended"]
    again = crew.client.post(f"{task.path}/retry", status=201)
    assert again["id"] not in (task.id, second.id)
    Task(task.workspace, again["id"]).until("success")


def test_an_agent_that_comes_back_without_its_work_loses_it_at_once(crew: Crew, applying: Task, gated: Gated) -> None:
    crew.part("doomed").kill()
    (crew.workdir("doomed") / "tasks" / str(applying.id) / "run" / "attempt.json").unlink()
    crew.agent("doomed")
    lost = applying.until("needs_attention")
    assert lost["wait_reason"]["turn"] == "person"
    gated.open()
    until("the engine that outlived its agent has ended", lambda: not crew.engines("doomed"))
    assert gated.ledger() == ["begun", "ended"]
    state = applying.workspace.state()
    assert state and {each["name"] for each in state["resources"]} == {"first", "second"}
    assert applying.row()["status"] == "needs_attention"


def _kill_host(crew: Crew, name: str) -> None:
    """Kill an agent and the engine that it has started, as when its machine is switched off."""
    crew.part(name).kill()
    for pid in crew.engines(name):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _assert_held(crew: Crew, task: Task, row: Row) -> None:
    """The task waits for a person, and both locks are held in its name."""
    assert row["status"] == "needs_attention" and row["stuck"]
    assert row["wait_reason"]["code"] == "agent_lost" and row["wait_reason"]["turn"] == "person"
    assert set(row["actions"]) >= {"mark-failed", "retry"}
    workspace = task.workspace.row()
    assert workspace["is_locked"] and workspace["locked_by"] == f"task:{task.id}"
    refusal = crew.client.send("LOCK", f"{task.workspace.path}/state", {"ID": "mine", "Operation": "OperationTypePlan"})
    assert refusal.status_code == 423 and f"task:{task.id}" in refusal.text, refusal.text
