"""Much output arrives in order, complete and byte-exact, and the agent's memory stays flat.

`IAC_TEST_LOG_MEGABYTES=100 python -m pytest tests/runner/test_logs_at_size.py` is the whole proof; without it a tenth.
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from agents.protocol import Hello, Work
from tests import processes
from tests.runner import floods
from tests.runner.scene import Scene

MEGABYTES = int(os.environ.get("IAC_TEST_LOG_MEGABYTES", "10"))
MOST_GROWTH = 1.2
"""Of the peak of memory, against that after a log of one megabyte."""


def _log_of(scene: Scene, task: int, megabytes: int, folder: Path) -> bytes:
    """Run a plan that says so much, and return the part of its log that should be what it said."""
    said = floods.pour(folder / "flood", megabytes)
    scene.platform.offer(scene.job(task, behaviour={"plan": {"copies": str(folder / "flood")}}))
    scene.eventually(lambda: scene.platform.result(task), seconds=30 + 10 * megabytes)
    log = bytes(scene.platform.logs[Work(task=task, epoch=1)])
    start = log.index(said[:20])
    assert log[start : start + len(said)] == said
    return log


def test_the_log_is_what_the_engine_said_and_the_memory_stays_flat(
    scene: Scene, fake_agent: Popen[str], tmp_path: Path
) -> None:
    _log_of(scene, 1, 1, tmp_path)
    before = processes.peak_kilobytes(fake_agent.pid)
    _log_of(scene, 2, MEGABYTES, tmp_path)
    after = processes.peak_kilobytes(fake_agent.pid)
    print(f"{MEGABYTES} MB of log: peak {after} kB, after 1 MB {before} kB, {after / before:.3f} times")
    assert after <= MOST_GROWTH * before


def _breaks(seed: int) -> Iterator[tuple[bool, int]]:
    """Return where links break, in what the agent says or hears; a few, as it waits longer each time."""
    chance = random.Random(seed)
    said = [(True, chance.randint(1500, 400_000)) for _ in range(2)]
    return iter(chance.sample([*said, (False, chance.randint(200, 900))], 3))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cuts_at_any_byte_lose_nothing_and_double_nothing(
    scene: Scene, start_agent: Callable[..., object], tmp_path: Path, seed: int
) -> None:
    scene.platform.break_at(_breaks(seed))
    start_agent(PATH=scene.path)
    log = _log_of(scene, 1, 2, tmp_path)
    result = scene.platform.result(1)
    assert result and result.log_bytes == len(log)
    assert len(scene.platform.said(Hello)) == 4, "the links were not cut, so nothing is proved"
