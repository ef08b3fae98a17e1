"""One program of the platform as a real process: started, asked to end, killed, started again; its output in a file."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import ENOUGH_SECONDS, until

REPOSITORY = Path(__file__).parents[2]
PR_SET_PDEATHSIG = 1  # prctl(2)

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(kw_only=True)
class Part:
    """A program under the name `name`; `command` follows the name of the Python interpreter."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    extra: dict[str, str] = field(default_factory=dict, init=False)
    """What this life has in its environment that others have not."""

    def start(self, **environment: str) -> None:
        """Start it; keywords are added to its environment for this life."""
        self.extra = environment
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command],
                cwd=REPOSITORY,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - this process starts them in its one thread
            )

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of its present or last life."""
        assert self.process is not None, f"{self.name} was never started"
        return self.process.pid

    def stop(self, *, seconds: float = ENOUGH_SECONDS) -> int:
        """Ask it to end, and return its exit status."""
        self.signal(signal.SIGTERM)
        return self.ended(seconds=seconds)

    def kill(self) -> None:
        """End it at this instruction (SIGKILL), with the processes that it forked; engines have sessions of their own."""
        if self.is_running:
            os.killpg(self.pid, signal.SIGKILL)
            self.ended()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.is_running:
            os.kill(self.pid, number)

    def ended(self, *, seconds: float = ENOUGH_SECONDS) -> int:
        """Return the exit status, once it has ended."""
        assert self.process is not None, f"{self.name} was never started"
        return self.process.wait(timeout=seconds)

    def output(self) -> str:
        """Return all that it has written, in all of its lives."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def until_it_says(self, text: str, *, times: int = 1, seconds: float = ENOUGH_SECONDS) -> None:
        """Return when its output holds `text` so many times."""
        until(f"{self.name} says {text!r}", lambda: self.output().count(text) >= times, seconds=seconds)


def _end_with_parent() -> None:
    # A test run that is killed leaves nothing behind.
    _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
