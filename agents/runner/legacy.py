"""What an attempt leaves beside its work, so that the agent's next life can report it where this one is killed.

The attempt's token is in it. It opens no more than this very attempt, of which the same folder holds the configuration,
the variables and the plan; when the attempt is over it brings evidence and gets nothing. So a restarted agent needs no
other key, not even a pool token that still lets it in. The file is private, goes with what the server has received, and
is used towards the server alone that gave the token.
"""

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import protocol
from agents.protocol import Finished, ProtocolError, Start
from agents.runner.jobs import Job
from agents.runner.survivor import Noted

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Legacy:
    """An attempt of a former life. `began_at`: seconds since 1970; `result`: None where its end was not seen."""

    start: Start
    server: str
    began_at: float
    working_directory: str
    state_url: str
    result: Finished | None


def leave(path: Path, start: Start, job: Job, *, server: str) -> None:
    """Write down the attempt that begins now."""
    facts = {"server": server, "working_directory": job.working_directory, "state_url": job.state_url}
    _write(path, {"start": protocol.dump(start), "began_at": time.time(), **facts})


def add_result(path: Path, result: Finished) -> None:
    """Write down how it ended: from now on that is all there is to bring."""
    if members := _members(path):
        _write(path, {**members, "result": protocol.dump(result)})


def read(path: Path) -> Legacy | None:
    """Return what was left; None where nothing was, or nothing that this agent understands."""
    members = _members(path)
    try:
        return _legacy(members) if members else None
    except (ProtocolError, KeyError, TypeError, ValueError) as error:
        log.warning("What was left in %s cannot be read (%s).", path, type(error).__name__)
        return None


def why_it_stays(left: Legacy, engine: Noted | None, server: str) -> str:
    """Return why an agent of `server` can neither bring what was left nor do without it; empty where it can."""
    if left.server != server:
        return f"it belongs to {left.server}"
    if engine is not None and not engine.started:
        return "whether an engine still works there cannot be seen on this system"
    return ""


def _legacy(members: Mapping[str, Any]) -> Legacy:
    start: Any = protocol.parse_from_server(members["start"])
    result: Any = protocol.parse_from_agent(members["result"]) if "result" in members else None
    if not isinstance(start, Start) or not isinstance(result, Finished | None):
        raise ValueError("other words than expected")
    return Legacy(
        start=start,
        server=str(members["server"]),
        began_at=float(members["began_at"]),
        working_directory=str(members["working_directory"]),
        state_url=str(members["state_url"]),
        result=result,
    )


def _members(path: Path) -> dict[str, Any]:
    try:
        members = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return members if isinstance(members, dict) else {}


def _write(path: Path, members: Mapping[str, Any]) -> None:
    draft = path.with_suffix(".new")
    try:
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(members))
        os.replace(draft, path)  # noqa: PTH105 - atomic, so a crash never leaves half of it
    except OSError as error:  # a full disk costs the next life's report, not the attempt
        log.warning("An attempt cannot be written down (%s).", error.strerror)
