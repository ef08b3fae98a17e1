"""What a process takes of its machine, as Linux counts it."""

import os
import re
from pathlib import Path

KIB = 1024
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_TICKS = os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> int:
    """Return the process's proportional set size: its own pages, and its share of those that others have too."""
    found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    if found is None:
        raise SystemExit("This machine does not say how much memory a process has (/proc/PID/smaps_rollup).")
    return int(found[1]) * KIB


def cpu_seconds(pid: int) -> float:
    """Return the processor time that the process has had, and those of its children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[number]) for number in range(11, 15)) / _TICKS


def cpu_seconds_of_children(pid: int) -> float:
    """Return the processor time that the process's children have had that live."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(cpu_seconds(int(child)) for child in children)


def parent(pid: int) -> int:
    """Return the process that started the process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
