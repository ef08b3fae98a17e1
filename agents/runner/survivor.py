"""Engines that outlive their agent: a note beside the work says which process it is.

A process id alone would not do, since ids are used again; the start time in /proc makes it unique.
"""

import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from agents.protocol import Phase


@dataclass(frozen=True, kw_only=True)
class _Noted:
    pid: int
    started: str
    phase: str


def note(path: Path, pid: int, phase: Phase) -> None:
    """Write down that the engine of this process works for the folder."""
    with suppress(OSError):  # a full disk must not part us from an engine that runs
        path.write_text(json.dumps(asdict(_Noted(pid=pid, started=_started(pid), phase=phase))))


def is_alive(path: Path) -> bool:
    """Say whether the noted process still runs."""
    noted = _read(path)
    return noted is not None and noted.started != "" and _started(noted.pid) == noted.started


def end_plan(path: Path) -> bool:
    """Kill the noted engine when it only plans, which changes nothing; say whether the folder is free now."""
    noted = _read(path)
    if noted is None or not is_alive(path):
        return True
    if noted.phase != "plan":
        return False
    os.killpg(noted.pid, signal.SIGKILL)
    return True


def _read(path: Path) -> _Noted | None:
    try:
        return _Noted(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _started(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
