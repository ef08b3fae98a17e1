import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.postgres.conftest import Run
from tests.postgres.foreground import alive, keep, kept, query, server_pid

Eventually = Callable[..., None]


def test_the_server_ends_with_its_launcher(home: Path, run: Run, eventually: Eventually) -> None:
    command = run(home).until_ready()
    pid = server_pid(home)
    command.end(signal.SIGKILL)
    eventually(lambda: not alive(pid))
    assert "received fast shutdown request" in (home / "postgres" / "server.log").read_text()


def test_the_next_launcher_waits_for_the_old_server_and_loses_nothing(home: Path, run: Run) -> None:
    command = run(home).until_ready()
    number = keep(home)
    command.end(signal.SIGKILL)
    run(home).until_ready()
    assert kept(home) == number
    assert "was not properly shut down" not in (home / "postgres" / "server.log").read_text()


def test_a_launcher_killed_while_it_makes_the_data_folder_is_made_good(
    new_home: Path, run: Run, eventually: Eventually
) -> None:
    command = run(new_home)
    eventually((new_home / "postgres" / "18.new" / "base").exists)
    os.kill(command.process.pid, signal.SIGKILL)
    run(new_home).until_ready()
    assert query(new_home, "SELECT 1") == 1
    assert not (new_home / "postgres" / "18.new").exists()
