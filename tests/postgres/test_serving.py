import os
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from iacplatform.postgres import Launcher, address
from iacplatform.postgres.errors import NotStarted, StartFailed
from tests.postgres.conftest import Run
from tests.postgres.foreground import alive, keep, kept, query, server_pid

Eventually = Callable[..., None]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_server_and_the_command_ends_well(home: Path, run: Run, how: signal.Signals) -> None:
    command = run(home).until_ready()
    pid = server_pid(home)
    assert command.end(how) == 0
    assert not alive(pid)
    assert command.last_words() == (0, "")


def test_a_signal_during_the_first_start_leaves_nothing_behind(
    new_home: Path, run: Run, eventually: Eventually
) -> None:
    command = run(new_home)
    eventually((new_home / "postgres" / "18.new" / "base").exists)
    assert command.end(signal.SIGTERM) == 0
    run(new_home).until_ready()
    assert query(new_home, "SELECT 1") == 1


def test_an_open_connection_does_not_hold_up_the_end(home: Path, run: Run) -> None:
    command = run(home).until_ready()
    connection = psycopg.connect(address(home))
    connection.execute("CREATE TEMPORARY TABLE unfinished ()")
    assert command.end(signal.SIGTERM) == 0
    connection.close()


def test_a_server_that_hangs_is_killed_in_the_end(home: Path) -> None:
    launcher = Launcher(home)
    launcher.stop_seconds = 0.1
    launcher.start()
    pid = server_pid(home)
    os.kill(pid, signal.SIGSTOP)
    launcher.stop()
    assert not alive(pid)


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with pytest.raises(StartFailed, match='unrecognized configuration parameter "no_such_setting"'):
        Launcher(home, settings={"no_such_setting": "1"}).start()


def test_waiting_for_a_server_that_was_not_started_is_refused(new_home: Path) -> None:
    with pytest.raises(NotStarted):
        Launcher(new_home).wait()


def test_rows_are_kept_from_one_start_to_the_next(home: Path) -> None:
    with Launcher(home):
        number = keep(home)
    with Launcher(home):
        assert kept(home) == number


def test_the_server_is_set_up_as_documented(new_home: Path) -> None:
    with Launcher(new_home, settings={"work_mem": "5MB"}):
        shown = {name: query(new_home, f"SHOW {name}") for name in EXPECTED}
        provider = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = current_database()"
        locale = query(new_home, provider)
    assert shown == EXPECTED
    assert locale == "b C.UTF-8"


EXPECTED = {
    "server_encoding": "UTF8",
    "data_checksums": "on",
    "listen_addresses": "",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "work_mem": "5MB",
}
