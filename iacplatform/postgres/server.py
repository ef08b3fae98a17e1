"""One running server process."""

import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from iacplatform.postgres.cluster import QUIET
from iacplatform.postgres.errors import StartFailed
from iacplatform.postgres.place import PORT, Place
from iacplatform.postgres.programs import HERE, Programs, options

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    **QUIET,
}
PAUSE_SECONDS = 0.02
STATUS_LINE = 7
"""Of postmaster.pid, counted from 0: it says `ready` when connections are accepted (pg_ctl waits for the same)."""


@dataclass(frozen=True)
class Server:
    """A server of a place; its log is the programs' log."""

    place: Place
    programs: Programs
    process: subprocess.Popen[str]

    def wait_until_ready(self, seconds: float) -> None:
        """Return when connections are accepted; raises StartFailed when it ends before or takes too long."""
        deadline = time.monotonic() + seconds
        while not self._ready():
            if self.process.poll() is not None:
                raise StartFailed("did not start", self.place.log, self.programs.log.reason())
            if time.monotonic() > deadline:
                raise StartFailed(f"was not ready after {seconds:.0f} s", self.place.log, self.programs.log.reason())
            time.sleep(PAUSE_SECONDS)

    def stop(self, seconds: float) -> None:
        """End the server: a fast shutdown, after `seconds` one without a checkpoint, then a kill."""
        for how, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 1.0), (signal.SIGKILL, None)):
            self.process.send_signal(how)
            try:
                self.process.wait(patience)
                return
            except subprocess.TimeoutExpired:
                continue

    def _ready(self) -> bool:
        try:
            lines = (self.place.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"


def start(place: Place, programs: Programs, settings: Mapping[str, str]) -> Server:
    """Start a server with `settings` over the defaults; it ends with a fast shutdown when this thread dies."""
    ours = {**SETTINGS, "unix_socket_directories": place.sockets_from_data(), **settings}
    arguments = ["-D", HERE, *options(ours)]
    process = programs.start("postgres", *arguments, folder=place.data, last_signal=signal.SIGINT)
    return Server(place, programs, process)


def admits(address: str) -> bool:
    """Return whether a server lets us in at `address`."""
    try:
        psycopg.connect(address, connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True
