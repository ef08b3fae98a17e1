"""What the agent keeps beside its running tasks: engines, providers, plans that wait, what crashes left. It is bounded.

So the work folder holds no more than this bound and that of one task for each task that runs.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

from agents.runner import legacy, room, survivor
from agents.runner.errors import PhaseFailed
from agents.runner.folder import TaskFolder
from agents.runner.providers import Providers
from agents.runner.workdir import Workdir

log = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class _Dispensable:
    """What can be had again. `discard` says whether it is gone."""

    used_at: float
    path: Path
    discard: Callable[[], bool] = field(compare=False)


class Stock:
    """Keeps the work folder within `most_bytes`, running tasks not counted. `server`: whom the agent works for."""

    def __init__(self, workdir: Workdir, providers: Providers, most_bytes: int, *, server: str) -> None:
        self._workdir = workdir
        self._providers = providers
        self._most_bytes = most_bytes
        self._server = server
        self._turn = Lock()

    def demand(self) -> None:
        """Raise `PhaseFailed` where more is kept than may be, and none of it can be removed."""
        if excess := self.tidy():
            raise PhaseFailed(
                "work_folder_full",
                f"The agent's work folder {self._workdir.root} keeps {room.mebibytes(excess)} MiB more than it may, "
                f"tasks not counted (IAC_AGENT_KEPT_MIB is {room.mebibytes(self._most_bytes)}), and what is there "
                "cannot be had again: engines, states that could not be stored, work for another server, files of "
                "yours. Remove there what is of no use, or give the agent more room; then run the task again.",
            )

    def tidy(self) -> int:
        """Remove what can be had again, the longest unused first; return the bytes that are too many still."""
        with self._turn:
            excess = self._kept_bytes() - self._most_bytes
            for each in sorted(self._dispensables()) if excess > 0 else ():
                size = room.size(each.path)
                if excess > 0 and each.discard():
                    log.info("Removed %s: more was kept than IAC_AGENT_KEPT_MIB allows.", each.path)
                    excess -= size
            return max(0, excess)

    def _kept_bytes(self) -> int:
        busy = {str(task) for task in self._workdir.busy}
        kept = [path for path in self._workdir.root.iterdir() if path != self._workdir.tasks]
        kept += [path for path in self._workdir.tasks.iterdir() if path.name not in busy]
        return sum(map(room.size, kept))

    def _dispensables(self) -> Iterator[_Dispensable]:
        for folder in self._workdir.idle_folders():
            if folder.is_dispensable() and not self._stays(folder):
                yield _Dispensable(folder.used_at, folder.root, partial(self._discard_folder, folder))
        for used_at, package in self._providers.packages():
            yield _Dispensable(used_at, package, partial(self._discard_package, package))

    def _stays(self, folder: TaskFolder) -> bool:
        left = legacy.read(folder.left)
        return left is not None and legacy.why_it_stays(left, survivor.read(folder.engine_note), self._server) != ""

    def _discard_folder(self, folder: TaskFolder) -> bool:
        if is_idle := folder.task not in self._workdir.busy:
            folder.remove()
        return is_idle

    def _discard_package(self, package: Path) -> bool:
        """Remove a package that only plans which wait have links to: their apply fetches it again."""
        folders = [
            each for each in self._workdir.folders() if each.task in self._workdir.busy or not each.seal.exists()
        ]
        return self._providers.discard(package, [folder.providers for folder in folders])
