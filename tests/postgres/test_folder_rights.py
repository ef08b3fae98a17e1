import os
import stat
from pathlib import Path

import pytest

from iacplatform.postgres import Launcher, PostgresError, address
from iacplatform.postgres.accounts import server_account
from iacplatform.postgres.errors import ForeignFolder, NoAccount
from tests.postgres.foreground import query


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_home_and_its_parents_keep_their_rights(tmp_path: Path, mode: int) -> None:
    parent, home = tmp_path / "parent", tmp_path / "parent" / "home"
    home.mkdir(parents=True)
    parent.chmod(0o700)
    home.chmod(mode)
    before = {folder: folder.stat().st_mode for folder in (home, parent, tmp_path)}
    with Launcher(home):
        assert query(home, "SELECT 1") == 1
    assert {folder: folder.stat().st_mode for folder in before} == before
    assert home.stat().st_uid == os.geteuid()


def test_a_new_home_is_private_and_so_is_everything_in_it(new_home: Path) -> None:
    with Launcher(new_home):
        place = new_home / "postgres"
        entries = list(place.iterdir())
        assert rights(new_home) == 0o700
        assert {rights(entry) for entry in entries if entry.is_dir()} == {0o700}
        assert {rights(entry) for entry in entries if entry.is_file()} == {0o600}
        assert {entry.stat().st_uid for entry in entries if entry.is_dir()} == {server_account().uid}


def test_a_careless_umask_changes_nothing(new_home: Path) -> None:
    before = os.umask(0)
    try:
        address(new_home)
    finally:
        os.umask(before)
    assert rights(new_home) == 0o700
    assert rights(new_home / "postgres" / "password") == 0o600
    assert rights(new_home / "postgres") == (0o711 if os.geteuid() == 0 else 0o700)


def test_a_short_socket_folder_that_somebody_else_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = Path("/usr") if os.geteuid() else tmp_path / "foreign"
    if os.geteuid() == 0:
        foreign.mkdir()
        os.chown(foreign, 1, 1)
    monkeypatch.setattr("iacplatform.postgres.place._short_folder", lambda root: foreign)
    with pytest.raises(ForeignFolder, match="belongs to"):
        Launcher(tmp_path / ("d" * 100)).start()


def test_a_home_that_is_a_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PostgresError, match="cannot be used"):
        address(tmp_path / "file")


def test_an_account_without_a_name_is_refused_in_one_sentence(new_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    monkeypatch.setattr("pwd.getpwnam", lambda name: {}[name])
    with pytest.raises(NoAccount):
        address(new_home)
