"""An agent is killed in mid-apply and starts again on its work folder: nothing of its former life is lost, or done twice."""

import os
import signal
from contextlib import suppress

import pytest

from tests.e2e.client import Row
from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.e2e.surroundings import SHORT_LEASE
from tests.e2e.work import Task
from tests.waiting import until

pytestmark = pytest.mark.server(**SHORT_LEASE)


@pytest.fixture
def applying(crew: Crew, gated: Gated) -> Task:
    """A task in the middle of its apply, on the agent `phoenix`, which is given up after a few seconds of silence."""
    crew.agent("phoenix")
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the log is followed", lambda: b"tick 5\n" in task.log_now("apply"))
    return task


@pytest.mark.server()  # with the usual lease: on a slow machine a program starts within seconds, but not within few
def test_one_that_comes_back_in_time_goes_on_with_its_apply(crew: Crew, applying: Task, gated: Gated) -> None:
    crew.part("phoenix").kill()
    _let_it_say_more(applying, gated)
    crew.agent("phoenix")
    gated.open()
    applying.until("applied")
    _assert_once_and_whole(applying, gated)
    assert "lost" not in [event["event"] for event in applying.events()]
    until("its work folder is gone", lambda: not (crew.workdir("phoenix") / "tasks" / str(applying.id)).exists())


def test_one_that_comes_back_late_moves_the_lost_apply_by_its_result(crew: Crew, applying: Task, gated: Gated) -> None:
    crew.part("phoenix").kill()
    applying.until("needs_attention")
    gated.open()
    until("the engine that outlived its agent has ended", lambda: not crew.engines("phoenix"))
    assert applying.row()["status"] == "needs_attention"
    crew.agent("phoenix")
    applying.until("applied")
    _assert_once_and_whole(applying, gated)
    assert not applying.workspace.row()["is_locked"]


def test_a_state_that_the_engine_could_not_store_is_brought_when_its_agent_is_back(
    crew: Crew, applying: Task, gated: Gated
) -> None:
    crew.part("phoenix").kill()
    until("its state lock is an orphan", lambda: "release-lock" in applying.row()["actions"])
    applying.do("release-lock", reason="Its host is dead.")
    gated.open()
    until("the engine has ended", lambda: not crew.engines("phoenix"))
    folder = crew.workdir("phoenix") / "tasks" / str(applying.id)
    assert list(folder.rglob("errored.tfstate"))
    crew.agent("phoenix")
    applying.until("failed")
    assert "kept aside as number" in applying.log("apply") and gated.ledger() == ["begun", "ended"]
    kept = _evidence(applying, "state")
    assert kept and kept["kept_state"]
    until("its work folder is gone", lambda: not folder.exists())


def test_what_nobody_can_prove_waits_for_a_person_with_the_evidence_shown(
    crew: Crew, applying: Task, gated: Gated
) -> None:
    crew.part("phoenix").kill()
    before = applying.log_now("apply")
    _let_it_say_more(applying, gated)
    for pid in crew.engines("phoenix"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    applying.until("needs_attention")
    crew.agent("phoenix")
    late = until("its log is here", lambda: _evidence(applying, "log"))
    assert (late["phase"], late["attempt"]) == ("apply", 1)
    until("all of it is here", lambda: b"no word of it says how" in applying.log_now("apply"))
    log = applying.log_now("apply")
    assert log.startswith(before)
    counted = gated.ticks_in(log.decode())
    assert counted == list(range(1, len(counted) + 1))
    row = applying.row()
    assert row["status"] == "needs_attention" and {"mark-failed", "retry"} <= set(row["actions"])
    assert gated.ledger() == ["begun"]


def _let_it_say_more(task: Task, gated: Gated) -> None:
    """Return when the engine has said more than the server has heard."""
    heard = len(gated.ticks_in(task.log_now("apply").decode()))
    until("the engine goes on", lambda: gated.ticks() > heard + 20)


def _assert_once_and_whole(task: Task, gated: Gated) -> None:
    assert gated.ledger() == ["begun", "ended"]
    log = task.log("apply")
    counted = gated.ticks_in(log)
    assert counted == list(range(1, len(counted) + 1)) and len(counted) >= gated.ticks()
    assert log.count(": apply with terraform") == 1
    state = task.workspace.state()
    assert state and {each["name"] for each in state["resources"]} == {"first", "second"}


def _evidence(task: Task, kind: str) -> Row | None:
    rows = task.client.get(f"{task.path}/evidence")["results"]
    return next((row for row in rows if row["kind"] == kind), None)
