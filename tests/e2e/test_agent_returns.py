"""An agent hangs for longer than its lease and comes back when its work was given away: it changes nothing any more."""

import signal
from pathlib import Path

import pytest

from tests.e2e.configurations import Gated, SlowPlan
from tests.e2e.crew import Crew
from tests.e2e.surroundings import SHORT_LEASE
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.server(**SHORT_LEASE)]


def test_a_plan_that_was_made_elsewhere_meanwhile_stays(crew: Crew, tmp_path: Path) -> None:
    slow = SlowPlan(tmp_path)
    hanging = crew.agent("hanging")
    workspace = crew.workspace(slow.files)
    workspace.set(*slow.variable)
    task = workspace.task()
    until("the plan is under way", slow.is_read)
    hanging.signal(signal.SIGSTOP)
    until("the plan is given up", lambda: task.row()["status"] == "pending")
    slow.settle()
    crew.agent("other")
    planned = task.until("apply_pending")
    assert planned["agent_id"] == crew.agent_id("other")
    assert crew.engines("hanging")
    hanging.signal(signal.SIGCONT)
    until("the returned agent has ended its engine", lambda: not crew.engines("hanging"))
    until("it is connected again", lambda: crew.client.agent(_name(crew))["connected"])
    row = task.row()
    assert row["status"] == "apply_pending"
    assert [row[key] for key in ("plan_digest", "agent_id")] == [planned[key] for key in ("plan_digest", "agent_id")]
    assert "was not heard of" in " ".join(move["reason"] for move in task.events())


def test_the_result_of_an_apply_that_a_person_has_given_up_moves_nothing(crew: Crew, gated: Gated) -> None:
    hanging = crew.agent("hanging")
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the apply has begun", lambda: gated.ticks() > 5)
    hanging.signal(signal.SIGSTOP)
    task.until("needs_attention")
    task.do("mark-failed", reason="It hangs.")
    gated.open()
    until("the engine has ended", lambda: gated.ledger() == ["begun", "ended"])
    before = task.events()
    hanging.signal(signal.SIGCONT)
    until("the agent is back", lambda: crew.client.agent(_name(crew))["connected"])
    until("it has dropped its work", lambda: not crew.engines("hanging"))
    row = task.row()
    assert (row["status"], row["error_code"]) == ("failed", "marked_failed")
    assert [move["to"] for move in task.events() if move["to"]] == [move["to"] for move in before if move["to"]]
    assert not task.workspace.row()["is_locked"]
    assert gated.ledger() == ["begun", "ended"]


def _name(crew: Crew) -> str:
    return f"hanging-{crew.pool_id[-6:]}"
