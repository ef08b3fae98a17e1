"""Starts, watches and stops the PostgreSQL of a home."""

import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from iacplatform.postgres import locks, server
from iacplatform.postgres.binaries import installed
from iacplatform.postgres.cluster import Cluster
from iacplatform.postgres.credentials import address
from iacplatform.postgres.errors import NotMainThread, NotStarted, StartFailed, UnsupportedSystem, UnusableFolder
from iacplatform.postgres.log import Log
from iacplatform.postgres.place import Place, place_of
from iacplatform.postgres.programs import Programs


class Launcher:
    """The server of `home`, for as long as this object is started. Use it in the main thread.

    `settings`: server settings over the defaults. A kill of this process stops the server as well.
    """

    start_seconds = 300.0
    """Recovery after a crash takes its time."""
    earlier_server_seconds = 60.0
    stop_seconds = 7.0
    """`manage.py up` ends everything within ten seconds."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.settings = dict(settings or {})
        self._server: server.Server | None = None
        self._undo = ExitStack()

    def start(self) -> None:
        """Return when the server accepts connections of the platform's role; raises a PostgresError."""
        _refuse_unfit_caller()
        try:
            self._start_in(place_of(self.home))
        except OSError as error:
            self.stop()
            raise UnusableFolder(self.home, error) from error
        except BaseException:
            self.stop()
            raise

    def wait(self) -> str:
        """Return when the server ends by itself: one sentence that says so."""
        running = self._running()
        status = running.process.wait()
        return f"PostgreSQL ended by itself with status {status}: see {running.place.log}."

    def stop(self) -> None:
        """End the server by a fast shutdown and give the data folder free; safe to repeat."""
        self._undo.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_in(self, place: Place) -> None:
        programs = self._take(place)
        cluster = Cluster(place, programs)
        cluster.prepare(self.settings)
        self._run(place, programs)
        if server.admits(address(self.home)):
            return
        self._running().stop(self.stop_seconds)
        cluster.set_up_role(place.data)
        self._run(place, programs)
        if not server.admits(address(self.home)):
            raise StartFailed("refuses the platform's role", place.log, programs.log.reason())

    def _take(self, place: Place) -> Programs:
        """Own the place until `stop`, with no earlier server left in it."""
        self._undo.callback(locks.own(place).release)
        lock = locks.outlive_earlier_server(place, self.earlier_server_seconds)
        self._undo.callback(lock.release)
        place.prepare()
        self._undo.callback(_remove_if_empty, place.sockets)
        log = Log(place.log)
        self._undo.callback(log.close)
        return Programs(place, installed().reachable_by(place.account), lock, log)

    def _run(self, place: Place, programs: Programs) -> None:
        self._server = server.start(place, programs, self.settings)
        self._undo.callback(self._server.stop, self.stop_seconds)
        self._server.wait_until_ready(self.start_seconds)

    def _running(self) -> server.Server:
        if self._server is None:
            raise NotStarted
        return self._server


def _refuse_unfit_caller() -> None:
    if sys.platform != "linux":
        raise UnsupportedSystem(sys.platform)
    # The kernel's parent-death signal goes out when the starting thread ends, not the process.
    if threading.current_thread() is not threading.main_thread():
        raise NotMainThread


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
