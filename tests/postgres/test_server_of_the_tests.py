"""The server that `tests/database.py` starts for a run of pytest."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.postgres.foreground import PROJECT, alive, server_pid
from tests.waiting import ENOUGH_SECONDS

PROBE = """
import os, pathlib, psycopg

def test_probe() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
    with pathlib.Path({homes!r}).open("a") as homes:
        homes.write(os.environ["IACPLATFORM_HOME"] + "\\n")
    {then}
"""
BLOCK = "open(0, closefd=False).read()"
Eventually = Callable[..., None]


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    return tmp_path / "homes"


def pytest_run(homes: Path, then: str, *arguments: str) -> subprocess.Popen[str]:
    """Start pytest on two files of one probing test each, with no database in the environment."""
    for name in ("test_one.py", "test_two.py"):
        homes.with_name(name).write_text(PROBE.format(homes=str(homes), then=then))
    homes.with_name("pytest.ini").write_text(f"[pytest]\npythonpath = {PROJECT}\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DATABASE_URL", "PYTEST_"))}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "-s", "-p", "tests.database", *arguments, str(homes.parent)]
    return subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_the_workers_of_a_run_share_one_server_and_leave_nothing(homes: Path) -> None:
    run = pytest_run(homes, "", "-p", "xdist", "-n", "2")
    output = run.communicate(timeout=ENOUGH_SECONDS)[0]
    assert "2 passed" in output
    first, second = homes.read_text().splitlines()
    assert first == second
    assert not Path(first).exists()


def test_after_ctrl_c_nothing_is_left(homes: Path, eventually: Eventually) -> None:
    run = pytest_run(homes, BLOCK)
    eventually(lambda: homes.exists() and homes.read_text())
    home = Path(homes.read_text().strip())
    pid = server_pid(home)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=ENOUGH_SECONDS)
    assert not alive(pid)
    assert not home.exists()
