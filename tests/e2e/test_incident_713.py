"""Incident 713: a slot is only one of an agent that is connected. Without one a task says so, and tries nothing in vain."""

import signal

import pytest

from tests.e2e import sweeps
from tests.e2e.configurations import trivial
from tests.e2e.crew import Crew
from tests.e2e.work import Task
from tests.waiting import until


def test_an_agent_that_is_only_a_row_gives_no_slot(crew: Crew) -> None:
    crew.agent("away").stop()
    crew.until_gone("away")
    task = crew.workspace(trivial()).task()
    reason = task.row()["wait_reason"]
    assert (reason["code"], reason["turn"]) == ("no_connected_agent", "person")
    assert "Start an agent with a token of pool" in reason["remedy"]
    assert {gate["name"]: gate["result"] for gate in task.explain()["gates"]}["agents_connected"] == "wait"


def test_a_killed_agent_gives_no_slot_even_within_its_lease(crew: Crew) -> None:
    crew.agent("dead").kill()
    task = crew.workspace(trivial()).task()
    until("nobody is asked in vain", lambda: _code(task) == "no_connected_agent")
    crew.agent("alive")
    assert task.until("apply_pending")["agent_id"] == crew.agent_id("alive")


def test_waiting_is_no_endless_loop_of_tries(crew: Crew) -> None:
    task = crew.workspace(trivial()).task()
    before = task.events()
    sweeps.let_them_run(crew, times=5)
    assert task.events() == before
    row = task.row()
    assert (row["attempt"], row["status"]) == (0, "pending")
    crew.agent("one")
    task.until("apply_pending")
    assert len(task.happened("offered")) == 1


@pytest.mark.slow
def test_an_agent_that_hangs_is_asked_once_and_another_one_takes_it(crew: Crew) -> None:
    hanging = crew.agent("hanging")  # by its name the first of the two
    crew.agent("other")
    hanging.signal(signal.SIGSTOP)
    task = crew.workspace(trivial()).task()
    done = task.until("apply_pending")
    assert done["agent_id"] == crew.agent_id("other")
    assert "did not accept within" in " ".join(move["reason"] for move in task.events())
    assert len(task.happened("offered")) == 2


def test_the_remedy_of_a_pool_without_a_token_is_to_make_one(crew: Crew) -> None:
    tokens = crew.client.get(f"/pools/{crew.pool_id}/tokens")["results"]
    crew.client.delete(f"/pools/{crew.pool_id}/tokens/{tokens[0]['id']}")
    task = crew.workspace(trivial()).task()
    reason = task.row()["wait_reason"]
    assert reason["code"] == "no_connected_agent" and reason["remedy"].startswith("Make a token")
    crew.token = crew.client.token_of(crew.pool_id)["token"]
    crew.agent("new")
    task.until("apply_pending")


def _code(task: Task) -> str:
    reason = task.row()["wait_reason"]
    code: str = reason["code"] if reason else ""
    return code


def _row_name(crew: Crew, name: str) -> str:
    return f"{name}-{crew.pool_id[-6:]}"
