"""An agent works over a link that is slow, narrow or breaks all the time: the log is whole, the state is stored once."""

import asyncio

import pytest

from tests.chaos.proxy import Connection
from tests.e2e import bad_links
from tests.e2e.bad_links import Brittle, Forgetful, Late, Narrow, Ragged
from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.e2e.work import Task
from tests.waiting import until

TICKS = 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Late, Narrow, Brittle, Ragged])
async def test_the_apply_is_one_and_its_log_is_whole(crew: Crew, gated: Gated, kind: type[Connection]) -> None:
    async with bad_links.to(crew.platform.url, kind) as url:
        crew.agent("far-away", connected=False, IAC_SERVER=url)
        await asyncio.to_thread(_apply, crew, gated)


def _apply(crew: Crew, gated: Gated) -> None:
    crew.part("far-away").until_it_says("Connected as")
    task = crew.workspace(gated.files, auto_apply=True).task()
    until("the apply counts", lambda: gated.ticks() > TICKS, seconds=120)
    gated.open()
    task.until("applied", seconds=120)
    assert gated.ledger() == ["begun", "ended"]
    assert gated.ticks_in(task.log("apply")) == list(range(1, gated.ticks() + 1))
    _assert_state_was_stored_once(task)


def _assert_state_was_stored_once(task: Task) -> None:
    serials = sorted(version["serial"] for version in task.workspace.states())
    assert serials == list(range(serials[0], serials[0] + len(serials)))
    state = task.workspace.state()
    assert state and {each["name"] for each in state["resources"]} == {"first", "second"}
    assert not task.workspace.row()["is_locked"]


@pytest.mark.slow
async def test_an_answer_that_is_lost_is_asked_for_again_and_means_the_same(crew: Crew, gated: Gated) -> None:
    Forgetful.lost.clear()
    gated.open()
    async with bad_links.to(crew.platform.url, Forgetful) as url:
        crew.agent("far-away", connected=False, IAC_SERVER=url)
        await asyncio.to_thread(_apply_at_once, crew)
    assert Forgetful.lost == {b"LOCK", b"POST", b"UNLOCK"}, "no answer was lost, so nothing is proved"


def _apply_at_once(crew: Crew) -> None:
    crew.part("far-away").until_it_says("Connected as")
    files = {"main.tf": 'resource "terraform_data" "one" {\n  input = "one"\n}\n'}
    task = crew.workspace(files, auto_apply=True).task()
    assert task.until("applied", seconds=120)["attempt"] == 1
    assert [version["serial"] for version in task.workspace.states()] == [1]
