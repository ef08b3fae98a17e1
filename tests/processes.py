"""Which processes of this machine belong to a folder."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def of(folder: Path) -> list[int]:
    """Return the ids of processes whose arguments, environment or working folder name `folder`, without our own."""
    return [pid for pid in everybody() if pid != os.getpid() and _names(pid, str(folder))]


def arguments(pid: int) -> str:
    """Return the command line of a process, its parts separated by spaces; empty when it has ended."""
    return _text(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")


def alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and is not waited for does not."""
    return _stat(pid)[0] != "Z"


def children(parent: int) -> list[int]:
    """Return the ids of the running processes that `parent` has started."""
    return [pid for pid in everybody() if alive(pid) and _stat(pid)[1] == str(parent)]


def group(number: int) -> list[int]:
    """Return the ids of the running processes of a process group."""
    return [pid for pid in everybody() if alive(pid) and _stat(pid)[2] == str(number)]


def peak_kilobytes(pid: int) -> int:
    """Return the most memory that a running process has had at once."""
    (line,) = (line for line in _text(Path(f"/proc/{pid}/status")).splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1])


def outside(pid: int, namespace: str) -> int:
    """Return the id that a process has here; `pid`: the one that it has itself, in its own process namespace."""
    return next(each for each in everybody() if _namespace(each) == namespace and _own_id(each) == str(pid))


def kill(folder: Path) -> None:
    """Kill the processes that belong to a folder; some end with others of them."""
    for pid in of(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""


def _own_id(pid: int) -> str:
    lines = _text(Path(f"/proc/{pid}/status")).splitlines()
    return next((line.split()[-1] for line in lines if line.startswith("NSpid:")), "")


def everybody() -> list[int]:
    """Return the ids of all processes of this machine."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat (proc(5)) from the state on: state, parent, group, session."""
    return _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split() or ["Z", "", ""]


def line_of(pid: int) -> list[int]:
    """Return the process, its parent, and so on up to the first process of all; empty when it has ended."""
    line = [pid]
    while parent := _stat(line[-1])[1]:
        line.append(int(parent))
    return line[:-1]


def _names(pid: int, folder: str) -> bool:
    return any(folder in text for text in _texts(pid)) and alive(pid)


def _texts(pid: int) -> Iterator[str]:
    yield _cwd(pid)
    if arguments := _text(Path(f"/proc/{pid}/cmdline")):  # the kernel's own have none, and nothing else either
        yield arguments
        yield _text(Path(f"/proc/{pid}/environ"))


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
