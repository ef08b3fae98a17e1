"""A cancel in the middle of a phase: one interrupt, the state saved, and a word that says what was done."""

from pathlib import Path

from tests.e2e.configurations import Gated, SlowPlan
from tests.e2e.crew import Crew
from tests.waiting import until


def test_a_cancel_in_mid_plan_interrupts_the_engine_once(crew: Crew, tmp_path: Path) -> None:
    plan = SlowPlan(tmp_path)
    crew.agent("one")
    workspace = crew.workspace(plan.files)
    workspace.set(*plan.variable)
    task = workspace.task()
    until("the plan is under way", plan.is_read)
    assert task.do("cancel")["stage"] == "cancelling"
    until("the engine was interrupted", lambda: b"Interrupt received" in task.log_now("plan"))
    task.do("cancel")
    plan.open()
    task.until("cancelled")
    log = task.log("plan")
    assert log.count("Interrupt received") == 1 and "Two interrupts" not in log
    assert workspace.states() == []
    assert crew.client.send("LOCK", f"{workspace.path}/state", {"ID": "mine"}).status_code == 200


def test_a_cancel_in_mid_apply_saves_what_was_done(crew: Crew, gated: Gated) -> None:
    crew.agent("one")
    workspace = crew.workspace(gated.files, auto_apply=True)
    task = workspace.task()
    until("the apply has begun", lambda: gated.ticks() > 5)
    task.do("cancel")
    task.until("cancelled")
    assert "1 of 2 changes had been made" in task.events()[-1]["reason"]
    log = task.log("apply")
    assert log.count("Interrupt received") == 1 and "Two interrupts" not in log
    state = workspace.state()
    assert state and "first" in {each["name"] for each in state["resources"]}
    assert gated.ledger() == ["begun"]
    assert not workspace.row()["is_locked"]
    assert not crew.engines("one")
