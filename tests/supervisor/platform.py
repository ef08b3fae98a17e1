"""The real `manage.py up` in a folder of its own, on the embedded PostgreSQL and a free port."""

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests import processes

ROOT = Path(__file__).parents[2]
NOT_OURS = ("IACPLATFORM_", "IAC_", "DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True)
class Running:
    """A started command; its output goes to files, which cannot fill up."""

    process: subprocess.Popen[bytes]
    home: Path
    output: Path
    errors: Path

    @property
    def address(self) -> str:
        """The address that it told when it was ready; empty before."""
        told = re.search(r"^The platform is ready at (\S+)", self.output.read_text(), re.MULTILINE)
        return told.group(1) if told else ""

    def is_ready(self) -> bool:
        """Return whether it told its address; fail when it has ended instead."""
        assert self.process.poll() is None, self.errors.read_text()
        return bool(self.address)

    def child(self, argument: str) -> int:
        """Return the process that was started by the command itself and has `argument` in its command line."""
        found = [pid for pid in processes.children(self.process.pid) if argument in processes.arguments(pid)]
        assert len(found) == 1, f"{argument}: {found}"
        return found[0]


@contextmanager
def up(home: Path, *arguments: str, **environment: str) -> Iterator[Running]:
    """Give a started `manage.py up`; whatever is left of it is killed in the end."""
    with started(home, "up", *arguments, **environment) as running:
        yield running


@contextmanager
def started(home: Path, *arguments: str, **environment: str) -> Iterator[Running]:
    """Give a started command of manage.py; whatever is left of it is killed in the end."""
    home.mkdir(parents=True, exist_ok=True)
    before = set(processes.of(home))
    mark = secrets.token_hex(4)
    output, errors = home.with_suffix(f".{mark}.out"), home.with_suffix(f".{mark}.err")
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, ROOT / "manage.py", *arguments],
            cwd=ROOT,
            env={**_inherited(), "IACPLATFORM_HOME": str(home), **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    try:
        yield Running(process, home, output, errors)
    finally:
        _end(process, home, before)


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)}


def _end(process: subprocess.Popen[bytes], home: Path, others: set[int]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    for pid in processes.of(home):
        if others.intersection(processes.line_of(pid)):
            continue  # of another platform in the folder, which may have started it since
        with suppress(ProcessLookupError):  # it may have ended in this moment
            os.kill(pid, signal.SIGKILL)
