"""The folder of one agent: who it is, what it keeps, and the lock that keeps a second agent out."""

import fcntl
import os
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import IO

from agents.runner.errors import BadConfiguration
from agents.runner.folder import TaskFolder


class Workdir:
    """An open and locked work folder; the lock lives as long as the process.

    `instance` is random and stays for the folder's life, so a restarted agent is the same instance to the server.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.busy: Collection[int] = ()
        """The tasks of now; the folders of others may go when their time is over, or when there is too much of them."""
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            root.chmod(0o700)
            self._lock = _locked(root)
            self.instance = _instance(root / "instance")
            self.providers = _made(root / "providers")
            self.engines = _made(root / "engines")
            self.tasks = _made(root / "tasks")
            _made(root / "tmp")
            self._empty_cli_config = root / "engine.tfrc"
            self._empty_cli_config.write_text("")
        except OSError as error:
            raise BadConfiguration(f"The work folder {root} cannot be used: {error.strerror}.") from error

    def cli_config(self, given: Path | None) -> Path:
        """Return the file for TF_CLI_CONFIG_FILE.

        It always exists: a name without a file makes tofu print a warning before its JSON.
        """
        return given or self._empty_cli_config

    def folder(self, task: int) -> TaskFolder:
        """Return the folder of a task: the same path in plan and apply, since a plan keeps `path.cwd`."""
        return TaskFolder(self.tasks / str(task))

    def folders(self) -> list[TaskFolder]:
        """Return the folders of all tasks that this agent has had, without those that were put aside."""
        return [TaskFolder(path) for path in self.tasks.iterdir() if path.name.isdigit()]

    def idle_folders(self) -> list[TaskFolder]:
        """Return the folders that no task of now works in."""
        return [folder for folder in self.folders() if folder.task not in self.busy]

    def forget_plans(self, but: int) -> None:
        """Remove the folders of plans that wait for their apply, which then makes them anew, but for one task's."""
        for folder in self.idle_folders():
            if folder.task != but and folder.seal.exists() and folder.is_dispensable():
                folder.remove()

    def sweep(self) -> None:
        """Remove folders of earlier tasks that nobody will need again."""
        for folder in self.idle_folders():
            if folder.is_outdated():
                folder.remove()


def _made(path: Path) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def _locked(root: Path) -> IO[str]:
    handle = (root / "lock").open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BadConfiguration(
            f"Another agent uses the work folder {root}: end it, or give this one another --workdir or --name."
        ) from error
    return handle


def _instance(path: Path) -> str:
    if path.exists() and (known := path.read_text().strip()):
        return known
    fresh = secrets.token_hex(16)
    draft = path.with_suffix(".new")
    draft.write_text(fresh)
    os.replace(draft, path)  # noqa: PTH105 - atomic, so a crash never leaves half an identity
    return fresh
