"""Engines that outlive their agent: a note beside the work says which process it is, and where its log begins.

A process id alone would not do, since ids are used again; the start time in /proc makes it unique.
"""

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from agents.protocol import Phase
from agents.runner import chamber

APPLY = "apply"
"""The one step that changes things."""

KILL_SECONDS = 5.0
"""How long a chamber has to kill what is in it, before it is killed itself."""

_LOOK_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Noted:
    """An engine process. `step`: its command; `log_bytes`: size of the attempt's log when it was started."""

    pid: int
    started: str
    phase: str
    step: str = ""
    log_bytes: int = 0
    was_interrupted: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return self.started != "" and _started(self.pid) == self.started

    @property
    def may_change_things(self) -> bool:
        """Whether it is an apply, as far as the note says: a plan or an `init` is none."""
        return self.phase == "apply" and self.step in ("", APPLY)


def note(path: Path, pid: int, *, phase: Phase, step: str, log_bytes: int) -> None:
    """Write down that the engine of this process works for the folder."""
    _write(path, Noted(pid=pid, started=_started(pid), phase=phase, step=step, log_bytes=log_bytes))


def note_interrupt(path: Path) -> None:
    """Write down that the engine gets its one SIGINT: a second one, in another life of the agent, would lose state."""
    if noted := read(path):
        _write(path, replace(noted, was_interrupted=True))


def read(path: Path) -> Noted | None:
    """Return what was noted; None where there is no such note."""
    try:
        return Noted(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_alive(path: Path) -> bool:
    """Say whether the noted process still runs."""
    noted = read(path)
    return noted is not None and noted.is_alive


def end_harmless(path: Path) -> bool:
    """Kill the noted engine when it changes nothing; say whether the folder is free now."""
    noted = read(path)
    if noted is None or not noted.is_alive:
        return True
    if noted.may_change_things:
        return False
    with suppress(ProcessLookupError):
        os.kill(noted.pid, chamber.KILL_ALL)
        _wait_for(noted)
        os.killpg(noted.pid, signal.SIGKILL)
    return True


def _wait_for(noted: Noted) -> None:
    deadline = time.monotonic() + KILL_SECONDS
    while noted.is_alive and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _write(path: Path, noted: Noted) -> None:
    draft = path.with_suffix(".new")
    with suppress(OSError):  # a full disk must not part us from an engine that runs
        draft.write_text(json.dumps(asdict(noted)))
        os.replace(draft, path)  # noqa: PTH105 - atomic, so a crash never leaves half a note


def _started(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
