"""The data folder: made whole or not at all, cleared of a dead server's traces, with the platform's role in it."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from iacplatform.postgres.credentials import ROLE, password
from iacplatform.postgres.errors import UnknownVersion
from iacplatform.postgres.place import MAJOR, SOCKET_NAME, Place
from iacplatform.postgres.programs import HERE, Programs, options

QUIET = {"log_min_error_statement": "panic", "log_error_verbosity": "terse"}
"""Keeps statements and row values, which may hold secrets, out of the log."""
INITDB = (
    "--username=postgres",
    "--pwfile=../password",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--data-checksums",
    "--no-instructions",
)


@dataclass(frozen=True)
class Cluster:
    """The data of one place. The caller holds both locks, so no process uses it."""

    place: Place
    programs: Programs

    def prepare(self, settings: Mapping[str, str]) -> None:
        """Leave a data folder that a server can start in.

        Raises UnknownVersion when it holds the data of another major version.
        """
        refuse_unknown_version(self.place)
        self._remove_traces()
        if not self.place.data.exists():
            self._create(lazy=settings.get("fsync") == "off")

    def set_up_role(self, folder: Path) -> None:
        """Make the platform's role and database, give the role the password of the place's file.

        In single-user mode, which asks for no password: the superuser has none and nobody can log in as it.
        What exists already is refused by the server and stays.
        """
        script = (
            "ALTER ROLE postgres PASSWORD NULL\n"
            f"CREATE ROLE {ROLE}\n"
            f"ALTER ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password(self.place)}'\n"
            f"CREATE DATABASE {ROLE} OWNER {ROLE}\n"
        )
        self.programs.run("postgres", "--single", "-D", HERE, *options(QUIET), "postgres", folder=folder, script=script)

    def _create(self, *, lazy: bool) -> None:
        """Make the data folder under another name first; `lazy` does not wait for the disk."""
        password(self.place)  # initdb reads the file
        draft = self.place.unfinished
        if draft.exists():
            shutil.rmtree(draft)
        self.place.make_folder(draft)
        sync = ["--no-sync"] if lazy else []
        self.programs.run("initdb", f"--pgdata={HERE}", *INITDB, *sync, folder=draft)
        self.set_up_role(draft)
        draft.rename(self.place.data)

    def _remove_traces(self) -> None:
        # Left by a server that was killed. The socket's lock file alone would stop the next one.
        socket = self.place.sockets / SOCKET_NAME
        for trace in (self.place.data / "postmaster.pid", socket, socket.with_name(f"{SOCKET_NAME}.lock")):
            trace.unlink(missing_ok=True)


def refuse_unknown_version(place: Place) -> None:
    """Raise UnknownVersion unless the place holds data of our major version or none."""
    if place.data.exists():
        found = {(place.data / "PG_VERSION").read_text().strip()}
    else:
        found = {entry.name for entry in place.root.iterdir() if entry.name.isdigit()}
    if found - {MAJOR}:
        raise UnknownVersion(place.root, found, MAJOR)
