from pathlib import Path

import psycopg
import pytest

from iacplatform.postgres import Launcher, address
from tests.postgres.foreground import query


def secret(home: Path) -> str:
    return (home / "postgres" / "password").read_text()


def test_a_wrong_password_is_refused(home: Path) -> None:
    with Launcher(home), pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(address(home).replace(secret(home), "wrong"))


def test_no_password_is_refused(home: Path) -> None:
    with Launcher(home), pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(address(home).replace(f":{secret(home)}", ""))


def test_nobody_can_log_in_as_the_superuser(home: Path) -> None:
    superuser = address(home).replace("//iacplatform:", "//postgres:")
    with Launcher(home), pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(superuser)


def test_the_platform_is_no_superuser_but_may_make_databases(home: Path) -> None:
    with Launcher(home):
        assert (
            query(home, "SELECT rolsuper::text || rolcreatedb::text FROM pg_roles WHERE rolname = user") == "falsetrue"
        )


def test_a_lost_password_file_is_replaced_and_the_data_stays(home: Path) -> None:
    with Launcher(home):
        query(home, "CREATE TABLE kept AS SELECT 42 AS answer")
        before = secret(home)
    (home / "postgres" / "password").unlink()
    with Launcher(home):
        assert query(home, "SELECT answer FROM kept") == 42
        assert secret(home) != before


def test_the_password_stands_in_no_argument_and_no_log(home: Path) -> None:
    with Launcher(home):
        pid = (home / "postgres" / "18" / "postmaster.pid").read_text().split()[0]
        seen = [Path(f"/proc/{pid}/{name}").read_text() for name in ("cmdline", "environ")]
        with pytest.raises(psycopg.Error):
            query(home, f"SELECT no_such_column, '{secret(home)}'")
        seen.append((home / "postgres" / "server.log").read_text())
    assert not [text for text in seen if secret(home) in text]
