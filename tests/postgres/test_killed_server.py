"""A server that was killed leaves traces; none of them may pass for a living server."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from iacplatform.postgres import Launcher, address
from iacplatform.postgres.errors import StillStopping
from iacplatform.postgres.locks import Lock
from iacplatform.postgres.place import place_of
from tests.postgres.conftest import Run
from tests.postgres.foreground import keep, kept, query, server_pid

SLEEPER = [sys.executable, "-c", "import sys; sys.stdin.read()"]


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A living process that has nothing to do with PostgreSQL."""
    with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE) as process:
        yield process


def kill_server(home: Path, run: Run) -> int:
    """Kill a server just after a commit; return the number that it had committed."""
    command = run(home).until_ready()
    number = keep(home)
    os.kill(server_pid(home), signal.SIGKILL)
    assert command.last_words()[0] == 1
    return number


def test_the_command_says_in_one_line_that_its_server_died(home: Path, run: Run) -> None:
    command = run(home).until_ready()
    os.kill(server_pid(home), signal.SIGKILL)
    status, errors = command.last_words()
    assert status == 1
    assert errors.startswith("PostgreSQL ended by itself with status -9: ")
    assert errors.count("\n") == 1


def test_after_a_kill_the_next_start_has_every_row(home: Path, run: Run) -> None:
    number = kill_server(home, run)
    assert (home / "postgres" / "18" / "postmaster.pid").exists()
    with Launcher(home):
        assert kept(home) == number


def test_a_process_id_reused_by_a_stranger_is_no_server(
    home: Path, run: Run, stranger: subprocess.Popen[bytes]
) -> None:
    number = kill_server(home, run)
    leave_traces_of(stranger.pid, home)
    with Launcher(home):
        assert kept(home) == number
    assert stranger.poll() is None


def test_a_zombie_is_no_server(home: Path, run: Run) -> None:
    number = kill_server(home, run)
    zombie = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
    os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
    leave_traces_of(zombie, home)
    with Launcher(home):
        assert kept(home) == number
    os.waitpid(zombie, 0)


def test_a_socket_left_alone_with_its_lock_file_does_not_stop_the_next_start(home: Path, run: Run) -> None:
    number = kill_server(home, run)
    (home / "postgres" / "18" / "postmaster.pid").unlink()
    assert (place_of(home).sockets / ".s.PGSQL.5432.lock").exists()
    with Launcher(home):
        assert kept(home) == number


def test_a_process_left_of_the_server_is_waited_for(home: Path) -> None:
    lock = Lock(home / "postgres" / "server.lock")
    assert lock.take()
    survivor = subprocess.Popen(SLEEPER, stdin=subprocess.PIPE, pass_fds=[lock.descriptor])
    lock.release()
    impatient = Launcher(home)
    impatient.earlier_server_seconds = 0.1
    with pytest.raises(StillStopping):
        impatient.start()
    survivor.communicate()
    with Launcher(home):
        assert query(home, "SELECT 1") == 1


def test_every_process_of_the_server_holds_its_lock(home: Path) -> None:
    with Launcher(home), psycopg.connect(address(home)) as connection:
        lock = (home / "postgres" / "server.lock").stat().st_ino
        backend = connection.info.backend_pid
        held = {entry.stat().st_ino for entry in Path(f"/proc/{backend}/fd").iterdir() if entry.exists()}
    assert lock in held


def leave_traces_of(pid: int, home: Path) -> None:
    for trace in (home / "postgres" / "18" / "postmaster.pid", place_of(home).sockets / ".s.PGSQL.5432.lock"):
        lines = trace.read_text().splitlines()
        trace.write_text("\n".join([str(pid), *lines[1:]]) + "\n")
