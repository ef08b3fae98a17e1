"""Where a home keeps its PostgreSQL, and who may enter.

    HOME/postgres/              the launcher's own: 0700; 0711 for root, whose server passes through it
        launcher.lock           held by the launcher that owns the data
        server.lock             held by every process of the server
        password                of the role iacplatform, 0600, the server account's
        server.log              what the server says
        socket/                 0700, the server account's
        18/                     the data of PostgreSQL 18, 0700, the server account's

The parents are never touched. The server is started inside its data folder and names everything from there, so it
works below a home that its account may not enter.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from iacplatform.postgres.accounts import Account, owner_name, server_account
from iacplatform.postgres.errors import ForeignFolder, UnusableFolder

MAJOR = "18"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_PATH_LIMIT = 107
"""Bytes: sun_path of unix(7), less its closing zero."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The files of one home's PostgreSQL; `root` is an absolute folder of the caller's."""

    root: Path
    account: Account

    @property
    def data(self) -> Path:
        return self.root / MAJOR

    @property
    def unfinished(self) -> Path:
        """A data folder in the making: renamed to `data` when it is whole."""
        return self.root / f"{MAJOR}.new"

    @property
    def password(self) -> Path:
        return self.root / "password"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def sockets(self) -> Path:
        """The folder of the socket: below `root`, or a short one in /tmp when that path is too long for a socket."""
        below = self.root / "socket"
        return below if _fits(below) else _short_folder(self.root)

    def sockets_from_data(self) -> str:
        """Return the folder of the socket as the server finds it from inside its data folder."""
        return "../socket" if self.sockets.parent == self.root else str(self.sockets)

    def prepare(self) -> None:
        """Make the folders of the socket; safe to repeat."""
        self.make_folder(self.sockets)

    def make_folder(self, folder: Path) -> None:
        """Make a folder that only the server's account may enter.

        Raises ForeignFolder when somebody else was there first.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _refuse_foreign(folder, os.fstat(descriptor).st_uid, {os.geteuid(), self.account.uid})
            self.account.own(descriptor)
            os.fchmod(descriptor, 0o700)
        finally:
            os.close(descriptor)


def place_of(home: Path) -> Place:
    """Return the place of a home, made when it is new.

    Raises ForeignFolder when it belongs to somebody else, UnusableFolder when it cannot be made.
    """
    account = server_account()
    place = Place(root=home.resolve() / "postgres", account=account)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.root.mkdir(mode=0o700, exist_ok=True)
        _refuse_foreign(place.root, place.root.lstat().st_uid, {os.geteuid()})
        place.root.chmod(0o711 if account.dropped else 0o700)
    except OSError as error:
        raise UnusableFolder(home, error) from error
    return place


def _refuse_foreign(folder: Path, owner: int, allowed: set[int]) -> None:
    if owner not in allowed:
        raise ForeignFolder(folder, owner_name(owner))


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_LIMIT


def _short_folder(root: Path) -> Path:
    # Not the configured folder for temporary files: every process must come to the same path.
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    return Path(f"/tmp/iacplatform-{os.geteuid()}-{digest}")  # noqa: S108 - refused where it is not ours alone
