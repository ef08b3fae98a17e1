"""The folder of one task on this agent.

config/   the configuration; the engine runs in it, or in its `working_directory`
run/      plan file, variable files, the engine's output, the log, HOME of the engine, its provider cache
"""

import hashlib
import shutil
import time
from pathlib import Path

from agents.runner import survivor, walls

WARM_SECONDS = 2 * 3600
"""How long a plan's folder waits for its apply; twice a pool's usual reservation."""

LEFTOVER_SECONDS = 7 * 86400
"""How long the folder of a crashed attempt stays for people to look at."""


class TaskFolder:
    """Paths of a task, and the rules of when its folder may be used again or removed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "config"
        self.run = root / "run"
        self.home = self.run / "home"
        self.tmp = root / walls.TMP
        self.providers = self.run / "providers"
        """The engine's provider cache; see `providers`."""
        self.archive = self.run / "configuration.tgz"
        self.plan = self.run / "plan.tfplan"
        self.plan_json = self.run / "plan.json"
        self.log = self.run / "log"
        self.engine_note = self.run / "engine.json"
        self.left = self.run / "attempt.json"
        """What the agent's next life needs to report the attempt; see `legacy`."""
        self.seal = self.run / "seal.json"
        """Names what a plan left here for its apply; see `warmth`."""

    @property
    def task(self) -> int:
        """The task's number."""
        return int(self.root.name)

    def output(self, step: str) -> Path:
        """Return the file that takes the engine's output of a step."""
        return self.run / f"{step}.out"

    def renew(self) -> None:
        """Make the folder empty; only a state that an earlier attempt could not store is put aside."""
        if self.unsaved_states():
            self.left.unlink(missing_ok=True)
            self.root.rename(self.root.with_name(f"{self.root.name}-unsaved-{time.time_ns()}"))
        self.remove()
        for path in (self.root, self.config, self.run, self.home):
            path.mkdir(mode=0o700, parents=True)

    def keep_warm(self) -> None:
        """Keep the sealed folder for the apply of the plan, without what only the plan phase needed."""
        for path in self.run.iterdir():
            if path.is_file() and path not in (self.plan, self.seal):
                path.unlink()
        shutil.rmtree(self.tmp, ignore_errors=True)

    def break_seal(self) -> None:
        """From now on the folder is in use, and not what the plan left any more."""
        self.seal.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder, which must have no living engine."""
        shutil.rmtree(self.root, ignore_errors=True)

    def has_engine(self) -> bool:
        """Say whether an engine of an earlier attempt, which outlived its agent, still works here."""
        return survivor.is_alive(self.engine_note)

    def unsaved_states(self) -> list[Path]:
        """Return the states that terraform could not store and left here."""
        return sorted(path for path in self.config.rglob("errored.tfstate") if path.is_file())

    def is_outdated(self) -> bool:
        """Say whether the folder can go: nothing runs in it, no unsaved state lies in it, its time is over."""
        limit = WARM_SECONDS if self.seal.exists() else LEFTOVER_SECONDS
        return time.time() - self.used_at > limit and self.is_dispensable()

    def is_dispensable(self) -> bool:
        """Say whether nothing runs in it and no unsaved state lies in it, so that no more than time is lost with it."""
        return not self.has_engine() and not self.unsaved_states()

    @property
    def used_at(self) -> float:
        """When something last came or went here, in seconds since 1970."""
        return max(map(_changed_at, (self.root, self.run, self.seal)))


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
