"""What an engine has left running, and its agent's user may not kill, changes nothing about how the engine has ended."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes
from tests.waiting import ENOUGH_SECONDS, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a program that becomes root")

REPOSITORY = Path(__file__).parents[2]
NOBODY = 65534
CHAMBER = f"""
import os, sys
from agents.runner import chamber
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
chamber.main("", "", *sys.argv[1:])
"""


@pytest.fixture
def sudo() -> Iterator[Path]:
    """A program that runs another one as root, for everybody."""
    folder = Path(tempfile.mkdtemp())  # a test's own folder is closed to other users
    folder.chmod(0o755)
    program = folder / "sudo"
    found = shutil.which("setpriv")
    assert found
    shutil.copyfile(found, program)
    program.chmod(0o4755)
    yield program
    for pid in {*processes.of(folder), *_left()}:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


def end_of(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the shell as an engine without walls, as a user who is not root."""
    arguments = [sys.executable, "-c", CHAMBER, "/bin/sh", "-c", command]
    return subprocess.run(
        arguments, cwd=REPOSITORY, capture_output=True, text=True, timeout=ENOUGH_SECONDS, check=False
    )


def _left() -> list[int]:
    return [pid for pid in processes.everybody() if processes.arguments(pid).startswith("sleep 601.5")]


def leaving(sudo: Path) -> str:
    """Return a command that leaves a process of root running; it has begun when the command goes on."""
    root = f"{sudo} --reuid 0 --regid 0 --clear-groups sh -c 'touch {sudo}.sign; exec sleep 601.5'"
    return f"{root} >/dev/null 2>&1 & until [ -e {sudo}.sign ]; do sleep 0.1; done;"


@pytest.mark.parametrize("status", [0, 3])
def test_the_engine_ends_as_it_ended(sudo: Path, status: int) -> None:
    ended = end_of(f"{leaving(sudo)} exit {status}")
    (left,) = until("the process of root is what it becomes", _left)
    assert ended.returncode == status
    assert ended.stderr == f"What the engine has left running as another user goes on (processes {left}).\n"


def test_what_can_be_killed_is_killed_beside_it(sudo: Path) -> None:
    ended = end_of(f"(setsid sleep 602.5 >/dev/null 2>&1 &); {leaving(sudo)} exit 0")
    assert ended.returncode == 0
    assert not [pid for pid in processes.everybody() if processes.arguments(pid).startswith("sleep 602.5")]
