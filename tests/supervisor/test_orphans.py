"""What becomes of a child whose platform is killed with `kill -9`."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import processes
from tests.waiting import until

PLATFORM = """
import asyncio, signal, sys
from pathlib import Path
from iacplatform.supervisor.output import Output
from iacplatform.supervisor.service import Rank, Service, says
from iacplatform.supervisor.supervisor import Supervisor

async def main():
    async with Supervisor(Path.cwd(), Output(sys.stdout)) as supervisor:
        child = Service(name="child", command=[sys.executable, "-c", sys.argv[1]], environment={}, rank=Rank.PLATFORM,
                        sign=says("ready"), orphaned=signal.Signals(int(sys.argv[2])))
        await supervisor.until_it_works(supervisor.start(child))
        print("works", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""
TELLS_SIGTERM = """
import signal, time
def tell(*_):
    with open("told", "w") as file: file.write("SIGTERM")
    raise SystemExit
signal.signal(signal.SIGTERM, tell)
print("ready", flush=True)
time.sleep(600)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


@contextmanager
def killed_platform(folder: Path, child: str, orphaned: signal.Signals) -> Iterator[Callable[[], bool]]:
    """Kill a platform that has one child; give what says whether that has ended."""
    command = [sys.executable, "-c", PLATFORM, child, str(int(orphaned))]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": _root()}) as up:
        assert up.stdout is not None
        assert any("works" in line for line in up.stdout)
        (pid,) = processes.children(up.pid)
        up.kill()
        up.wait()
    try:
        yield lambda: not processes.alive(pid)
    finally:
        processes.kill(folder)


def test_a_child_may_end_its_own_children_when_its_platform_is_killed(tmp_path: Path) -> None:
    with killed_platform(tmp_path, TELLS_SIGTERM, signal.SIGTERM) as ended:
        until("it has ended", ended)
        assert (tmp_path / "told").read_text() == "SIGTERM"


def test_a_child_that_would_wait_for_the_database_is_killed_with_its_platform(tmp_path: Path) -> None:
    with killed_platform(tmp_path, DEAF, signal.SIGKILL) as ended:
        until("it has ended", ended)


def _root() -> str:
    return str(Path(__file__).parents[2])
