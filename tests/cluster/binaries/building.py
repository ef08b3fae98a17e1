"""Building of programs from their pinned modules: by one process of this machine at a time, whole or not at all."""

import fcntl
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.cluster.binaries import go
from tests.cluster.binaries.programs import Program, cache


def build(programs: Sequence[Program]) -> None:
    """Build those of the programs that are missing; another process's build is waited for, and not done again.

    Raises `OSError`, and `subprocess.CalledProcessError` with the words of Go.
    """
    if not missing(programs):  # another build may last long, and is none of ours
        return
    with _alone():
        for program in missing(programs):
            _compile(go.command(), program)


def missing(programs: Sequence[Program]) -> list[Program]:
    """Return those that are not there."""
    return [program for program in programs if not program.path.is_file()]


def _compile(go_command: str, program: Program) -> None:
    """Put the program where it belongs in one step, so that nobody ever sees half of it."""
    program.built.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.built.with_suffix(f".{os.getpid()}")
    build = [go_command, "build", "-trimpath", "-buildvcs=false", "-ldflags", program.linker_flags]
    surroundings = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    try:
        subprocess.run(
            [*build, "-o", str(unfinished), program.package],
            cwd=program.source,
            env=surroundings,
            capture_output=True,
            text=True,
            check=True,
        )
        unfinished.rename(program.built)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _alone() -> Iterator[None]:
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
