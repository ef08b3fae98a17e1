"""The server's log file: for people, and for the reason why a start failed."""

import os
from pathlib import Path

KEPT_BYTES = 10 * 2**20
"""A longer log is set aside as `server.log.1` when the server starts."""
GRAVE = ("PANIC: ", "FATAL: ", "ERROR: ", "error: ")


class Log:
    """The log of one run: what was written since this object was made."""

    def __init__(self, path: Path) -> None:
        if path.exists() and path.stat().st_size > KEPT_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self.start = os.fstat(self.descriptor).st_size

    def reason(self) -> str:
        """Return the last grave message of a start that failed, without its time and level."""
        lines = os.pread(self.descriptor, 2**16, self.start).decode(errors="replace").splitlines()
        grave = [_message(line) for line in lines if _level(line)]
        return (grave or lines or ["it said nothing"])[-1].strip().rstrip(".")

    def close(self) -> None:
        os.close(self.descriptor)


def _level(line: str) -> str:
    return next((level for level in GRAVE if level in line), "")


def _message(line: str) -> str:
    return line.partition(_level(line))[2]
