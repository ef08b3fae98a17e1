"""The server or its database goes away in mid-apply and comes back: the agent goes on, and nothing is lost."""

from collections.abc import Callable

import pytest

from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.e2e.platform import Platform
from tests.waiting import until

Deed = Callable[[Platform], object]

KILLED_WEB: tuple[Deed, Deed] = (lambda platform: platform.web.kill(), lambda platform: platform.start_web())
RESTARTED_DATABASE: tuple[Deed, Deed] = (
    lambda platform: platform.database.stop(),
    lambda platform: platform.start_database(),
)
KILLED_DATABASE: tuple[Deed, Deed] = (
    lambda platform: platform.kill_database(),
    lambda platform: platform.start_database(),
)


@pytest.mark.parametrize(
    ("end", "begin"),
    [
        pytest.param(*KILLED_WEB, id="killed web server"),
        pytest.param(*RESTARTED_DATABASE, id="restarted database"),
        pytest.param(*KILLED_DATABASE, id="killed database"),
    ],
)
def test_an_outage_costs_no_byte_of_the_log_and_no_state(crew: Crew, gated: Gated, end: Deed, begin: Deed) -> None:
    crew.agent("one")
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the log is followed", lambda: b"tick 5\n" in task.log_now("apply"))

    end(crew.platform)
    in_the_outage = gated.ticks() + 20
    until("the apply goes on", lambda: gated.ticks() > in_the_outage)
    begin(crew.platform)
    heard = f"tick {in_the_outage}\n".encode()
    until("the log is followed again", lambda: heard in task.log_now("apply"))

    end(crew.platform)
    gated.open()  # so that the engine has to store its state while nobody takes it
    until("the apply is over", lambda: gated.ledger() == ["begun", "ended"])
    begin(crew.platform)
    done = task.until("applied", seconds=120)

    assert gated.ticks_in(task.log("apply")) == list(range(1, gated.ticks() + 1))
    assert done["attempt"] == 1
    state = task.workspace.state()
    assert state and {each["name"] for each in state["resources"]} == {"first", "second"}
    assert not task.workspace.row()["is_locked"]
    assert len(task.happened("accepted")) == 2
    assert gated.ledger() == ["begun", "ended"]
