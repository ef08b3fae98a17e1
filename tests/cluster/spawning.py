"""Processes that end with the test run, even with one that is killed."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.parts import REPOSITORY, Part

LEASH = [sys.executable, "-I", "-S", str(Path(__file__).with_name("leash.py"))]

# The kernel ties a leash to the thread that forked; this one lives as long as the test run.
_spawner = ThreadPoolExecutor(1, "spawner")


def spawn(command: Sequence[str], *, environment: Mapping[str, str], cwd: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, its output at the end of the file `log`; any thread may ask.

    A command that does not exist ends with status 1 and says so in `log`.
    """
    return _spawner.submit(_spawn, command, environment, cwd, log).result()


def _spawn(command: Sequence[str], environment: Mapping[str, str], cwd: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [*LEASH, *command],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@dataclass(kw_only=True)
class Daemon(Part):
    """A part whose `command` names its program too; it may be started again from any thread."""

    def start(self, **environment: str) -> None:
        """Start it; keywords are added to its environment for this life."""
        self.extra = environment
        everything = {**self.environment, **environment}
        self.process = spawn(self.command, environment=everything, cwd=REPOSITORY, log=self.log)
