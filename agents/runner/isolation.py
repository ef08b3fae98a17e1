"""How engines are started: each in a chamber, with walls between the tasks wherever the machine has what they need."""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.runner.errors import BadConfiguration
from agents.runner.folder import TaskFolder
from agents.runner.options import Options
from agents.runner.workdir import Workdir

SHORT = 80
"""Longest path of a work folder whose `tmp` can hold the sockets of providers: a socket's path has 107 characters."""

_SECONDS = 20
_REPOSITORY = Path(__file__).parents[2]
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from agents.runner import chamber; chamber.main(*sys.argv[2:])"
_LOOKS_ROUND = """import os, sys
seen = [name for name in os.listdir(sys.argv[1]) if not name.startswith(".")]  # what the walls themselves need
sys.exit(not os.path.isdir("/proc/1") or seen != [sys.argv[2]])
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """What keeps the tasks of one agent apart. `keeps_apart`: with walls; else they may only follow one another."""

    workdir: Path
    keeps_apart: bool

    def command(self, folder: Path, engine: Sequence[str]) -> list[str]:
        """Return what starts an engine for the task of a folder, which leaves nothing running when it has ended."""
        if sys.platform != "linux":
            return list(engine)
        python = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_REPOSITORY)]
        return [*python, str(self.workdir) if self.keeps_apart else "", str(folder), *engine]

    def environment(self) -> dict[str, str]:
        """Return what the engines get for it: a folder for temporary files that no other task sees."""
        is_ours = self.keeps_apart and len(str(self.workdir)) <= SHORT
        return {"TMPDIR": str(self.workdir / "tmp")} if is_ours else {}


def choose(options: Options, workdir: Workdir) -> Isolation:
    """Return the best that this machine allows. Raises `BadConfiguration` where several tasks at once need more."""
    without = Isolation(workdir=workdir.root, keeps_apart=False)
    if options.has_shared_tasks:
        log.warning("Tasks are not kept apart (IAC_AGENT_SHARED_TASKS): each can read what others have on this agent.")
        return without
    behind_walls = Isolation(workdir=workdir.root, keeps_apart=True)
    why = _objection(behind_walls, workdir)
    if why and options.capacity > 1:
        raise BadConfiguration(
            f"With capacity {options.capacity} tasks run side by side, and this machine does not let them be kept "
            f"apart ({why}): give the agent capacity 1, or let its user have namespaces, or accept with "
            "IAC_AGENT_SHARED_TASKS=true that each task can read what the others have here. See docs/agents.md."
        )
    if why:
        log.warning("This machine lets tasks not be kept apart (%s): what one has left goes before the next one.", why)
    elif os.geteuid() == 0:
        log.warning("This agent is root: its tasks can change the machine, and so get at everything. Give it a user.")
    return without if why else behind_walls


def _objection(isolation: Isolation, workdir: Workdir) -> str:
    """Try the walls; return what was in the way of them, empty when they stand."""
    if sys.platform != "linux":
        return f"{sys.platform} has no namespaces"
    folder = TaskFolder(workdir.tasks / "trial")
    folder.renew()
    folder.tmp.mkdir()
    looking = [sys.executable, "-I", "-S", "-c", _LOOKS_ROUND, str(workdir.tasks), folder.root.name]
    try:
        return _tried(isolation.command(folder.root, looking), folder)
    finally:
        folder.remove()


def _tried(command: Sequence[str], folder: TaskFolder) -> str:
    try:
        tried = subprocess.run(
            command,
            cwd=folder.config,
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return type(error).__name__
    said = tried.stderr.decode(errors="replace").partition("started: ")[2].strip().rstrip(".")
    return said or ("" if tried.returncode == 0 else f"the trial ended with exit status {tried.returncode}")
