"""Room on the disk of the work folder: whether there is enough to begin, and how much of it one task may take."""

import asyncio
import errno
import os
import shutil
from pathlib import Path

from agents.runner.errors import PhaseFailed

LEAST_FREE_BYTES = 64 * 1024 * 1024
"""With less, a phase would fail somewhere in its middle; an apply there could lose its state."""

LOOK_SECONDS = 5.0

_MIB = 1024 * 1024
_LACKING = {errno.ENOSPC, errno.EDQUOT}


def demand(root: Path, least_bytes: int = LEAST_FREE_BYTES) -> None:
    """Raise `PhaseFailed` where the disk of the folder is as good as full."""
    if shutil.disk_usage(root).free < least_bytes:
        raise none_left(root)


def is_lacking(error: Exception) -> bool:
    """Return whether the disk, or the user's share of it, is full."""
    return isinstance(error, OSError) and error.errno in _LACKING


def none_left(root: Path) -> PhaseFailed:
    """Return what to say of a task that a full disk keeps from its work."""
    left = mebibytes(shutil.disk_usage(root).free)
    return PhaseFailed(
        "disk_full",
        f"The disk of the agent's work folder {root} is full: {left} MiB are left, and a task needs at least "
        f"{mebibytes(LEAST_FREE_BYTES)}. Make room on that machine, then run the task again.",
    )


async def outgrown(folder: Path, most_bytes: int) -> None:
    """Return when the folder holds more than so many bytes."""
    while await asyncio.to_thread(size, folder) <= most_bytes:
        await asyncio.sleep(LOOK_SECONDS)


def mebibytes(number: int) -> int:
    """Return whole MiB, upwards."""
    return -(-number // _MIB)


def size(place: Path) -> int:
    """Return the bytes on disk of a file, or of all in a folder; what is removed meanwhile counts for nothing."""
    if place.is_symlink() or not place.is_dir():
        return _blocks(place)
    return sum(_blocks(Path(parent) / name) for parent, _, names in os.walk(place) for name in names)


def _blocks(path: Path) -> int:
    try:
        return path.lstat().st_blocks * 512
    except OSError:
        return 0
