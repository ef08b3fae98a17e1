"""`python -m iacplatform.postgres` as a real process, and a look at what it runs."""

import os
import secrets
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from iacplatform.postgres import address
from tests.waiting import ENOUGH_SECONDS

PROJECT = Path(__file__).resolve().parents[2]


class Foreground:
    """The command for one home; output is text."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "iacplatform.postgres", "--home", home],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_ready(self) -> "Foreground":
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], ENOUGH_SECONDS)
        assert readable, "not ready in time"
        line = self.process.stdout.readline()
        assert line == "ready\n", self.process.communicate()[1]
        return self

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(ENOUGH_SECONDS)

    def last_words(self) -> tuple[int, str]:
        """Return the exit status and what was said on standard error, when it has ended."""
        errors = self.process.communicate(timeout=ENOUGH_SECONDS)[1]
        return self.process.returncode, errors


def query(home: Path, statement: str) -> Any:
    """Return the first value of a statement's answer, if it has one."""
    with psycopg.connect(address(home), connect_timeout=5) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def keep(home: Path) -> int:
    """Commit a new number to the database and return it; `kept` reads it."""
    number = secrets.randbelow(10**6)
    query(home, "DROP TABLE IF EXISTS kept")
    query(home, f"CREATE TABLE kept AS SELECT {number} AS number")
    return number


def kept(home: Path) -> int:
    return int(query(home, "SELECT number FROM kept"))


def server_pid(home: Path) -> int:
    return int((home / "postgres" / "18" / "postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    """Return whether a process lives; a zombie does not."""
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
