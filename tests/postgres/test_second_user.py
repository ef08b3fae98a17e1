"""Two users of one machine: each with a home of its own, none in the other's."""

import multiprocessing
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from iacplatform.postgres import Launcher, PostgresError, address, launcher
from iacplatform.postgres.accounts import Account
from iacplatform.postgres.binaries import installed
from iacplatform.postgres.errors import ForeignFolder
from tests.postgres.foreground import query
from tests.waiting import ENOUGH_SECONDS

OTHER = pwd.getpwnam("daemon")


@pytest.fixture
def commons() -> Iterator[Path]:
    """A folder that every user may enter; when we are root, the other one owns `commons/other`."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    (folder / "other").mkdir()
    if os.geteuid() == 0:
        os.chown(folder / "other", OTHER.pw_uid, OTHER.pw_gid)
    yield folder
    shutil.rmtree(folder)


def test_another_user_has_a_server_beside_ours(commons: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Account(name=OTHER.pw_name, uid=OTHER.pw_uid, gid=OTHER.pw_gid, dropped=os.geteuid() == 0)
    reachable = installed().reachable_by(other, copies=commons / "copies")
    with Launcher(home):
        monkeypatch.setattr(launcher, "installed", lambda: reachable)
        assert as_other(lambda: serve_once(commons / "other" / "home")) == "1"
        assert query(home, "SELECT 1") == 1


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_another_user_is_refused_in_our_home_in_one_sentence(commons: Path, mode: int) -> None:
    ours = commons / "ours"
    address(ours)
    ours.chmod(mode)
    refusal = as_other(lambda: serve_once(ours))
    expected = "Permission denied" if mode == 0o700 else f"belongs to {pwd.getpwuid(os.geteuid()).pw_name}"
    assert expected in refusal if os.geteuid() == 0 else refusal == "1"


def test_a_folder_of_another_owner_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address(home)
    monkeypatch.setattr(os, "geteuid", lambda: OTHER.pw_uid)
    with pytest.raises(ForeignFolder, match="run this command as that user"):
        address(home)


def serve_once(home: Path) -> str:
    try:
        with Launcher(home):
            return str(query(home, "SELECT 1"))
    except PostgresError as error:
        return str(error)


def as_other(work: Callable[[], str]) -> str:
    """Return what `work` answers in a process of the other user; of our own when we are not root."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    # Forked, because the other user may be unable to reach this Python.
    process = multiprocessing.get_context("fork").Process(target=lambda: sender.send(_become_other_for(work)))
    process.start()
    try:
        assert receiver.poll(ENOUGH_SECONDS), "no answer in time"
        return str(receiver.recv())
    finally:
        process.kill()
        process.join()


def _become_other_for(work: Callable[[], str]) -> str:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(OTHER.pw_gid)
        os.setuid(OTHER.pw_uid)
    return work()
