"""Everything is killed with two hundred tasks in every status and stage. It comes back, and each of them moves as it must."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.rest import restless
from tests.chaos.rows import LIVE_AND_BROKEN, Rows
from tests.e2e.parts import REPOSITORY
from tests.e2e.platform import Platform
from tests.restart.kinds import KINDS, Kind
from tests.restart.player import Player, Run

OF_EACH_KIND = 7
OUTAGE_SECONDS = 1800
"""How long the outage lasts by the platform's clock: many leases long, and no reservation's end."""

LEASE_SECONDS = 20
"""Shorter than agents usually have, so that the dead ones are given up soon; a slow machine is not silent for so long."""

REST_SECONDS = 240
LATE_SECONDS = 2.0
"""An agent that comes back so long after the server still has its work."""

SLOT_GIVEN = "Its slot was given to task"

Row = dict[str, Any]


class Scene:
    """What there was before and after. `made`: kind of each task by its id."""

    def __init__(self, home: Path, made: dict[int, str], players: list[Player]) -> None:
        self.rows = Rows(home)
        self.made = made
        self.players = players
        self.before = self.tasks()
        self.after: dict[int, Row] = {}
        self.unexplained: list[Row] = []

    def tasks(self) -> dict[int, Row]:
        """Return all tasks as they are, by id."""
        return {row["id"]: row for row in self.rows.all("SELECT * FROM tasks_task ORDER BY id")}

    def applies(self, task: int) -> int:
        """Return how many applies were started for a task after the restart."""
        return sum(player.permits[task] for player in self.players)

    def attempts(self, task: int) -> int:
        """Return how many attempts its last phase took."""
        found = self.rows.all("SELECT phase, number FROM tasks_attempt WHERE task_id = %s ORDER BY epoch", task)
        number: int = found[-1]["number"]
        return number

    async def come_to_rest(self) -> None:
        """Wait until each task is final or waits for a person, and look all the time whether each says why it waits."""
        deadline = time.monotonic() + REST_SECONDS
        while left := restless(await asyncio.to_thread(self.rows.view)):
            self.unexplained += self.rows.all(LIVE_AND_BROKEN)
            assert time.monotonic() < deadline, left
            await asyncio.sleep(1)
        self.after = self.tasks()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_after_a_restart_two_hundred_tasks_move_as_they_must(tmp_path: Path) -> None:
    platform = Platform(tmp_path)
    try:
        platform.prepare()
        scene = _populated(platform)
        assert len(scene.before) >= 200
        _crash(platform)
        assert scene.tasks() == scene.before, "the crash has changed rows by itself"
        assert scene.rows.all(LIVE_AND_BROKEN) == []
        platform.environment["IACPLATFORM_AGENT_LEASE_SECONDS"] = str(LEASE_SECONDS)
        platform.jobs.start()
        platform.start_web()
        async with _alive(scene.players):
            await scene.come_to_rest()
        faults = [fault for task, kind in scene.made.items() for fault in _faults(scene, task, KINDS[kind])]
        assert not faults and not scene.unexplained, "\n".join([*faults, *map(str, scene.unexplained)])
        _assert_agents_kept_their_work(scene)
    finally:
        platform.__exit__()


def _populated(platform: Platform) -> Scene:
    command = [sys.executable, "-m", "tests.restart.populate", str(OF_EACH_KIND)]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=platform.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    made = {int(task): kind for task, kind in told["tasks"].items()}
    return Scene(platform.home, made, [_player(platform.url, told["token"], agent) for agent in told["agents"]])


def _player(url: str, token: str, told: Row) -> Player:
    runs = {(run["task"], run["epoch"]): Run(**run) for run in told["runs"]}
    return Player(url=url, token=token, name=told["name"], instance=told["instance"], runs=runs)


def _crash(platform: Platform) -> None:
    """Kill the database, and let the outage last."""
    platform.kill_database()
    platform.start_database()
    platform.sql("UPDATE base_clock SET ahead = ahead + make_interval(secs => %s)", OUTAGE_SECONDS)


@asynccontextmanager
async def _alive(players: list[Player]) -> AsyncIterator[None]:
    await asyncio.sleep(LATE_SECONDS)  # the fault that is played: the platform is back before any of its agents
    lives = [asyncio.create_task(player.live()) for player in players]
    yield
    for life in lives:
        life.cancel()
    ends = await asyncio.gather(*lives, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends


def _faults(scene: Scene, task: int, kind: Kind) -> list[str]:
    """Return what became of a task that should not have."""
    before, after = scene.before[task], scene.after[task]
    expected = (kind.ends, kind.reason, kind.applies)
    found = (after["status"], _reason(after), scene.applies(task))
    name = f"task {task} ({scene.made[task]})"
    faults = [f"{name}: {found}, not {expected}"] if found != expected else []
    if kind.is_still and after != before:
        faults.append(f"{name} has changed")
    if kind.attempts and scene.attempts(task) != kind.attempts:
        faults.append(f"{name} took {scene.attempts(task)} attempts")
    if before["plan_digest"] and kind.applies and after["plan_digest"] != before["plan_digest"]:
        faults.append(f"{name}: another plan was applied than the one that was confirmed")
    return faults


def _reason(row: Row) -> str:
    """Return why it waits. A slot that was kept for it may have gone to a task that found no other, as it should: which
    of the agents is back first, and alone for a moment, is chance."""
    code: str = row["reason_code"]
    cause = (row["reason"] or {}).get("evidence", {}).get("cause", "")
    return "awaiting_confirmation" if cause.startswith(SLOT_GIVEN) else code


def _assert_agents_kept_their_work(scene: Scene) -> None:
    """An outage of ours, of whatever length, takes nothing from an agent that lives."""
    for player in scene.players:
        assert player.kept == player.had, f"{player.name} lost {player.had - player.kept}"
