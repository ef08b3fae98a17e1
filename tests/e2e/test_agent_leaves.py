"""An agent that is asked to go finishes what it has, takes nothing new, and goes."""

import signal

from tests.e2e.configurations import Gated, trivial
from tests.e2e.crew import Crew
from tests.waiting import until


def test_an_agent_finishes_its_apply_before_it_leaves(crew: Crew, gated: Gated) -> None:
    leaver = crew.agent("leaver")
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the apply has begun", lambda: gated.ticks() > 5)
    leaver.signal(signal.SIGTERM)
    leaver.until_it_says("takes nothing new")
    later = crew.workspace(trivial()).task()
    assert later.row()["status"] == "pending"
    assert leaver.is_running
    gated.open()
    task.until("applied")
    assert leaver.ended() == 0
    until("it is known to be gone", lambda: later.row()["wait_reason"]["code"] == "no_connected_agent")
    crew.agent("successor")
    later.until("apply_pending")


def test_an_idle_agent_leaves_at_once(crew: Crew) -> None:
    agent = crew.agent("idle")
    assert agent.stop() == 0
    crew.until_gone("idle")
