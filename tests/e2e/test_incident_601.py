"""Incident 601: the slot that was kept for the apply is gone when somebody confirms. It is applied elsewhere, or says why not."""

import pytest

from tests.console import pages
from tests.e2e.configurations import Gated, trivial
from tests.e2e.console import Console
from tests.e2e.crew import Crew
from tests.e2e.surroundings import SHORT_LEASE
from tests.e2e.work import Task, Workspace
from tests.waiting import until

GRACE_SECONDS = 61
"""After so long without an agent a task counts as stuck."""


def test_a_confirmed_plan_is_applied_though_its_reserved_slot_is_gone(crew: Crew) -> None:
    planner = crew.agent("planner")
    task = crew.workspace(trivial()).task()
    planned = task.until("apply_pending")
    crew.agent("other")
    planner.kill()
    task.confirm()
    done = task.until("applied")
    assert done["agent_id"] == crew.agent_id("other") != planned["agent_id"]
    assert (done["plan_digest"], done["retry_count"]) == (planned["plan_digest"], 0)


@pytest.mark.server(**SHORT_LEASE)
def test_the_page_says_what_happened_and_offers_to_retry_the_apply(crew: Crew, gated: Gated) -> None:
    platform = crew.platform
    crew.agent("planner")
    task = crew.workspace(gated.files).task()
    planned = task.until("apply_pending")
    crew.part("planner").kill()
    until("the lost slot is told", lambda: _code(task) == "reservation_lost")
    console = Console.of(platform)
    assert "the slot kept for its apply is gone" in pages.text(console.task(task))

    task.confirm()
    assert _code(task) == "no_connected_agent" and not task.row()["stuck"]
    platform.sql("UPDATE base_clock SET ahead = ahead + make_interval(secs => %s)", GRACE_SECONDS)
    until("the sweep looks again", lambda: _code(task) == "no_connected_agent")
    assert task.row()["stuck"]
    assert "Retry apply" in pages.stuck(console.task(task))["no_connected_agent"]
    said = pages.text(console.press(task, "retry"))
    assert f"No agent of pool {_pool_name(crew)} is connected" in said

    crew.agent("other")
    until("it is applied without another word", lambda: gated.ledger() == ["begun"])
    gated.open()
    done = task.until("applied")
    assert (done["plan_digest"], done["stuck"]) == (planned["plan_digest"], False)
    assert "data-stuck" not in console.task(task).content.decode()


def test_a_stale_plan_says_so_and_a_new_one_needs_a_new_confirmation(crew: Crew) -> None:
    crew.agent("one")
    workspace = crew.workspace(trivial())
    task = workspace.task()
    stale = task.until("apply_pending")
    _upload_state(workspace, serial=1)
    row = task.row()
    assert row["wait_reason"]["code"] == "plan_stale" and "retry" in row["actions"]
    refusal = crew.client.refused("POST", f"{task.path}/confirm-apply", {"plan_digest": stale["plan_digest"]})
    assert refusal["code"] == "plan_stale"
    crew.client.post(f"{task.path}/retry", status=202)
    fresh = task.until("apply_pending")
    assert fresh["plan_digest"] != stale["plan_digest"]
    assert crew.client.refused("POST", f"{task.path}/confirm-apply", {})["code"] == "plan_changed"
    task.confirm(plan_digest=fresh["plan_digest"])
    task.until("applied")


@pytest.mark.slow
def test_a_plan_that_is_stale_each_time_is_made_three_times_anew_and_then_fails(crew: Crew, gated: Gated) -> None:
    workspace = crew.workspace(gated.files)
    task = workspace.task()
    digests = [_confirmed_and_stale(crew, task, serial) for serial in (1, 2, 3, 4)]
    failed = task.until("failed")
    assert (failed["error_code"], failed["retry_count"]) == ("attempts_exhausted", 3)
    assert "4 times" in failed["error_message"]
    assert len(set(digests)) == 4, "a plan was confirmed twice"
    moves = task.events()
    assert [move["event"] for move in moves].count("confirm") == 4
    causes = [move["reason"] for move in moves if move["event"] == "stale"]
    assert len(causes) == 4 and all("The state has changed" in cause for cause in causes)
    assert gated.ledger() == []


def _confirmed_and_stale(crew: Crew, task: Task, serial: int) -> str:
    """Let it be planned and confirmed, and move the state before anybody can apply it; return the plan's digest."""
    agent = crew.agent("one")
    planned = task.until("apply_pending")
    agent.stop()
    task.confirm(plan_digest=planned["plan_digest"])
    _upload_state(task.workspace, serial=serial)
    digest: str = planned["plan_digest"]
    return digest


def _code(task: Task) -> str:
    reason = task.row()["wait_reason"]
    code: str = reason["code"] if reason else ""
    return code


def _pool_name(crew: Crew) -> str:
    name: str = crew.client.get(f"/pools/{crew.pool_id}")["name"]
    return name


def _upload_state(workspace: Workspace, *, serial: int) -> None:
    state = {"version": 4, "serial": serial, "lineage": "somebody-elses", "outputs": {}, "resources": []}
    answer = workspace.client.send("POST", f"{workspace.path}/state-versions", state)
    assert answer.status_code == 201, answer.text
