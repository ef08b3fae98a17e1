import io
import os
import signal
from pathlib import Path

import pytest

from iacplatform.supervisor import supervisor as module
from iacplatform.supervisor.output import Output
from iacplatform.supervisor.service import ENDINGS, Rank
from iacplatform.supervisor.supervisor import Supervisor
from tests import processes
from tests.supervisor.conftest import MakeService
from tests.waiting import ENOUGH_SECONDS

TELLS_ITS_END = """
import os, signal, sys, time
def end(*_):
    with open(os.environ["FOLDER"] + "/ends", "a") as file: file.write(sys.argv[0] + os.environ["WHO"] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(600)
"""
COUNTS_SIGTERMS = """
import os, signal, sys, time
seen = []
def count(*_):
    seen.append(1)
    if len(seen) == 2: sys.exit()
signal.signal(signal.SIGTERM, count)
print("ready", flush=True)
while True: time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
STARTS_AN_ENGINE = """
import subprocess, sys, time
engine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(engine.pid)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the patience."""
    short = {rank: tuple((number, until / 10) for number, until in steps) for rank, steps in ENDINGS.items()}
    monkeypatch.setattr(module, "ENDINGS", short)


def test_the_whole_end_fits_in_ten_seconds() -> None:
    assert max(until for steps in ENDINGS.values() for _, until in steps) + 1.0 <= 10.0


async def test_work_ends_before_the_platform_and_the_database_last(tmp_path: Path, child: MakeService) -> None:
    async with Supervisor(tmp_path, Output(io.StringIO())) as supervisor:
        for rank in (Rank.DATABASE, Rank.PLATFORM, Rank.WORK):
            environment = {"FOLDER": str(tmp_path), "WHO": rank.name}
            await supervisor.until_it_works(
                supervisor.start(child(TELLS_ITS_END, name=rank.name, rank=rank, environment=environment))
            )
    assert (tmp_path / "ends").read_text().split() == ["-cWORK", "-cPLATFORM", "-cDATABASE"]


async def test_an_agent_that_is_still_at_work_gets_a_second_sigterm(
    tmp_path: Path, child: MakeService, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, _), (second, _) = ENDINGS[Rank.WORK]
    monkeypatch.setitem(ENDINGS, Rank.WORK, ((first, 3.0), (second, ENOUGH_SECONDS)))
    async with Supervisor(tmp_path, Output(written)) as supervisor:
        keeper = supervisor.start(child(COUNTS_SIGTERMS, rank=Rank.WORK))
        await supervisor.until_it_works(keeper)
    assert keeper.process is not None
    assert keeper.process.ended.result() == 0


@pytest.mark.usefixtures("hasty")
async def test_a_stubborn_child_is_killed_when_its_time_is_over(tmp_path: Path, child: MakeService) -> None:
    async with Supervisor(tmp_path, Output(io.StringIO())) as supervisor:
        keeper = supervisor.start(child(STUBBORN, rank=Rank.DATABASE))
        await supervisor.until_it_works(keeper)
    assert keeper.process is not None
    assert keeper.process.ended.result() == -signal.SIGKILL


async def test_an_engine_in_a_session_of_its_own_outlives_its_agent(
    tmp_path: Path, child: MakeService, written: io.StringIO
) -> None:
    async with Supervisor(tmp_path, Output(written)) as supervisor:
        await supervisor.until_it_works(supervisor.start(child(STARTS_AN_ENGINE, name="local-1", rank=Rank.WORK)))
    engine = int(written.getvalue().split()[2])
    try:
        assert processes.alive(engine)
    finally:
        os.kill(engine, signal.SIGKILL)


async def test_a_child_is_not_started_again_during_the_end(tmp_path: Path, child: MakeService) -> None:
    async with Supervisor(tmp_path, Output(io.StringIO())) as supervisor:
        supervisor.start(child("import sys; sys.exit(1)"))
    assert processes.of(tmp_path) == []
