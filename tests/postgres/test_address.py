import os
import stat
import subprocess
import sys
from pathlib import Path

import environ
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from iacplatform.postgres import Launcher, address
from iacplatform.postgres.accounts import server_account
from iacplatform.postgres.place import Place, place_of
from tests.postgres.foreground import PROJECT, query
from tests.waiting import ENOUGH_SECONDS

PRINT_ADDRESS = (
    "import sys, pathlib; from iacplatform.postgres import address; print(address(pathlib.Path(sys.argv[1])))"
)


def test_the_address_needs_no_server_and_stays_the_same(new_home: Path) -> None:
    assert address(new_home) == address(new_home)


def test_two_processes_at_once_agree_on_the_password(new_home: Path) -> None:
    command = (sys.executable, "-c", PRINT_ADDRESS, new_home)
    both = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (process.communicate(timeout=ENOUGH_SECONDS)[0].strip() for process in both)
    assert first == second == address(new_home)
    assert {entry.name for entry in (new_home / "postgres").iterdir()} == {"password"}


def test_django_environ_reads_the_address(new_home: Path) -> None:
    parsed = environ.Env.db_url_config(address(new_home))
    assert (parsed["ENGINE"], parsed["NAME"], parsed["USER"]) == (
        "django.db.backends.postgresql",
        "iacplatform",
        "iacplatform",
    )
    assert parsed["PASSWORD"] == (new_home / "postgres" / "password").read_text()
    assert parsed["OPTIONS"]["host"] == str(place_of(new_home).sockets)


def test_the_socket_lies_below_home_where_the_path_allows() -> None:
    place = Place(root=Path("/srv/home/postgres"), account=server_account())
    assert place.sockets == Path("/srv/home/postgres/socket")


def test_the_password_file_is_for_the_server_account_alone(new_home: Path) -> None:
    address(new_home)
    found = (new_home / "postgres" / "password").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, server_account().uid)


@pytest.mark.parametrize("name", ["with space", "50%", "a#b?c=d&e", "ünï", "deep/" + "d" * 100])
def test_any_folder_name_can_be_a_home(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    options = conninfo_to_dict(address(home))
    assert environ.Env.db_url_config(address(home))["OPTIONS"]["host"] == options["host"]
    assert len(os.fsencode(f"{options['host']}/.s.PGSQL.5432")) <= 107


def test_a_deep_home_has_its_socket_in_a_short_private_folder(tmp_path: Path) -> None:
    home = tmp_path / ("d" * 100) / "home 50%"
    with Launcher(home):
        assert query(home, "SELECT 1") == 1
        folder = Path(str(conninfo_to_dict(address(home))["host"]))
        found = folder.stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, server_account().uid)
    assert not folder.exists()


def test_a_server_of_another_account_is_refused(home: Path) -> None:
    stranger = address(home).replace(f"requirepeer={server_account().name}", "requirepeer=root")
    stranger = stranger if os.geteuid() == 0 else stranger.replace("requirepeer=root", "requirepeer=daemon")
    with Launcher(home), pytest.raises(psycopg.OperationalError, match="requirepeer"):
        psycopg.connect(stranger)
