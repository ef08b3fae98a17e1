"""A pool token is revoked in mid-apply: the socket closes, the apply is reported to its end, the agent leaves."""

from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.waiting import until

NOT_WELCOME = 3


def test_the_apply_ends_applied_with_its_whole_log(crew: Crew, gated: Gated) -> None:
    issued = crew.client.token_of(crew.pool_id)
    agent = crew.platform.agent("dismissed", issued["token"])
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the log is followed", lambda: b"tick 5\n" in task.log_now("apply"))

    crew.client.delete(f"/pools/{crew.pool_id}/tokens/{issued['id']}")
    until("the socket is closed", lambda: not crew.client.agent(agent.name)["connected"], seconds=5)
    afterwards = f"tick {gated.ticks() + 40}\n".encode()
    until("the log is followed again", lambda: afterwards in task.log_now("apply"))
    assert agent.is_running

    gated.open()
    done = task.until("applied")
    assert agent.ended() == NOT_WELCOME
    assert "revoked" in agent.output().splitlines()[-1]
    assert gated.ticks_in(task.log("apply")) == list(range(1, gated.ticks() + 1))
    assert (done["attempt"], gated.ledger()) == (1, ["begun", "ended"])
    assert len(task.happened("lost")) == 0
    assert not task.workspace.row()["is_locked"]


def test_a_cancel_still_reaches_it(crew: Crew, gated: Gated) -> None:
    issued = crew.client.token_of(crew.pool_id)
    agent = crew.platform.agent("dismissed", issued["token"])
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the apply has begun", lambda: gated.ticks() > 5)
    crew.client.delete(f"/pools/{crew.pool_id}/tokens/{issued['id']}")
    until("the socket is closed", lambda: not crew.client.agent(agent.name)["connected"], seconds=5)
    task.do("cancel")
    task.until("cancelled")
    assert agent.ended() == NOT_WELCOME
    assert gated.ledger() == ["begun"]
