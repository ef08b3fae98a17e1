"""An agent with two slots applies for two workspaces at once."""

from pathlib import Path

from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.waiting import until

TICKS = 3


def _gated(folder: Path) -> Gated:
    folder.mkdir()
    return Gated(folder)


def test_two_applies_run_at_once_on_one_agent(crew: Crew, tmp_path: Path) -> None:
    crew.agent("wide", IAC_AGENT_CAPACITY="2")
    sides = [_gated(tmp_path / name) for name in ("one", "two")]
    tasks = [crew.workspace(side.files, auto_apply=True).task() for side in sides]
    until("both applies count", lambda: min(side.ticks() for side in sides) > TICKS, seconds=120)
    rows = [task.row() for task in tasks]
    assert {row["agent_id"] for row in rows} == {crew.agent_id("wide")}
    assert sorted(row["slot"] for row in rows) == [0, 1]
    for task, side in zip(tasks, sides, strict=True):
        side.open()
        task.until("applied", seconds=120)
        assert side.ledger() == ["begun", "ended"]
        assert side.ticks_in(task.log("apply")) == list(range(1, side.ticks() + 1))
