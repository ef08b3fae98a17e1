"""The work folders of other agents beside an agent's own: its tasks see none of their tasks, and change nothing there.

Tasks may be able to write beside the work folders, so no name there is trusted: a folder counts where no link leads to
it and it is this user's, and what is mounted over is the very folder that was looked at.
"""

# It is part of `chamber`, which does without pathlib and contextlib.
# ruff: noqa: PTH102, PTH106, PTH116, PTH118, PTH120, PTH208, SIM105

import os
import stat

from agents.runner import linux

_ITSELF = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW


def close_off(workdir: str, place: str) -> None:
    """Close them to this mount namespace. `place`: where a folder can be made that only we can get at.

    Raises `OSError`.
    """
    own, beside = os.stat(workdir), os.path.dirname(workdir)
    workshop = os.path.join(place, ".neighbour")
    os.mkdir(workshop)
    for path in (os.path.join(beside, name) for name in _listed(beside)):
        with _Folder(path) as folder:
            if folder.is_ours and not folder.is_same(own) and folder.has_file("instance"):
                _close(folder, workshop)
    _remove(workshop)


class _Folder:
    """A folder held open; where there is none at that very place, it is nobody's."""

    def __init__(self, path: str, within: int | None = None) -> None:
        try:
            self.number = os.open(path, _ITSELF, dir_fd=within)
        except OSError:
            self.number = -1
        self.path = f"/proc/self/fd/{self.number}"

    def __enter__(self) -> "_Folder":
        return self

    def __exit__(self, *_: object) -> None:
        if self.number >= 0:
            os.close(self.number)

    @property
    def is_ours(self) -> bool:
        return self.number >= 0 and os.fstat(self.number).st_uid == os.geteuid()

    def is_same(self, other: os.stat_result) -> bool:
        return os.path.samestat(os.fstat(self.number), other)

    def has_file(self, name: str) -> bool:
        try:
            return stat.S_ISREG(os.stat(name, dir_fd=self.number, follow_symlinks=False).st_mode)
        except OSError:
            return False


def _close(folder: _Folder, workshop: str) -> None:
    """Cover the tasks, and make the rest read-only, out of reach: a path could lead elsewhere by now."""
    try:
        with _Folder("tasks", folder.number) as tasks:
            if tasks.is_ours:
                linux.mount_memory(tasks.path, "size=4k,mode=0700")
        linux.bind(folder.path, workshop)
        linux.forbid_writing(workshop)
        linux.move(workshop, folder.path)
    except FileNotFoundError:
        pass  # it has just been removed


def _remove(workshop: str) -> None:
    try:
        os.rmdir(workshop)
    except OSError:
        pass  # what has just been removed is still mounted there, read-only


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
