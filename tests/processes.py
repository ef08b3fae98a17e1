"""Which processes of this machine belong to a folder."""

import os
from pathlib import Path


def of(folder: Path) -> list[int]:
    """Return the ids of processes whose arguments, environment or working folder name `folder`, without our own."""
    ids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in ids if pid != os.getpid() and _names(pid, str(folder))]


def arguments(pid: int) -> str:
    """Return the command line of a process, its parts separated by spaces; empty when it has ended."""
    return _text(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")


def alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and is not waited for does not."""
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return bool(fields) and fields[0] != "Z"


def _names(pid: int, folder: str) -> bool:
    place = Path(f"/proc/{pid}")
    return alive(pid) and any(
        folder in text for text in (*map(_text, (place / "cmdline", place / "environ")), _cwd(pid))
    )


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode(errors="replace")
    except OSError:
        return ""  # it has just ended, or is somebody else's


def _cwd(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""
