"""A real Redis server of a test's own: Debian's `redis-server`, in memory alone."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from tests.e2e.surroundings import free_port
from tests.waiting import until

MISSING = "There is no redis-server: install the package redis-server. `make test` does that where it may."


class RedisServer:
    """`start` and `kill` may take turns: the port stays. `freeze` lets it accept connections and say nothing."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it takes connections."""
        program = shutil.which("redis-server")
        assert program, MISSING
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen([program, *options], stdout=log, stderr=log)
        until("Redis takes connections", self._answers)

    def kill(self) -> None:
        """End it at this instruction."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Let it do nothing until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
