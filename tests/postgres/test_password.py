from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from iacplatform.postgres import Launcher, address
from tests.postgres.foreground import keep, kept, query


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose server runs."""
    home = tmp_path_factory.mktemp("served") / "home"
    with Launcher(home):
        yield home


def secret(home: Path) -> str:
    return (home / "postgres" / "password").read_text()


def test_a_wrong_password_is_refused(served: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(address(served).replace(secret(served), "wrong"))


def test_no_password_is_refused(served: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(address(served).replace(f":{secret(served)}", ""))


def test_nobody_can_log_in_as_the_superuser(served: Path) -> None:
    superuser = address(served).replace("//iacplatform:", "//postgres:")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(superuser)


def test_the_platform_is_no_superuser_but_may_make_databases(served: Path) -> None:
    rights = "SELECT rolsuper::text || rolcreatedb::text FROM pg_roles WHERE rolname = user"
    assert query(served, rights) == "falsetrue"


def test_a_lost_password_file_is_replaced_and_the_data_stays(home: Path) -> None:
    with Launcher(home):
        number = keep(home)
        before = secret(home)
    (home / "postgres" / "password").unlink()
    with Launcher(home):
        assert kept(home) == number
        assert secret(home) != before


def test_the_password_stands_in_no_argument_and_no_log(served: Path) -> None:
    pid = (served / "postgres" / "18" / "postmaster.pid").read_text().split()[0]
    seen = [Path(f"/proc/{pid}/{name}").read_text() for name in ("cmdline", "environ")]
    with pytest.raises(psycopg.Error):
        query(served, f"SELECT no_such_column, '{secret(served)}'")
    seen.append((served / "postgres" / "server.log").read_text())
    assert not [text for text in seen if secret(served) in text]
