"""Builds what the control plane of the tests lacks; one line when there is something to do, none when there is not.

Exits with 0 also where it fails: the tests that need the control plane then fail, and all others can run.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.cluster.binaries import go
from tests.cluster.binaries.programs import ALL, VERSION, Program, cache

LAST_WORDS = 3
"""Lines of a failed command's output that are shown."""


def main() -> None:
    """Build the missing programs; one process of this machine at a time, the others find them built."""
    if not _missing():
        return
    names = ", ".join(program.name for program in _missing())
    print(f"Building {names} (Kubernetes {VERSION}) for the tests; this takes about 5 minutes, once.", flush=True)
    try:
        with _alone():
            _build(_missing())
    except (OSError, subprocess.CalledProcessError) as error:
        print(_explained(error), file=sys.stderr)


def _missing() -> list[Program]:
    return [program for program in ALL if not program.path.is_file()]


def _build(programs: Sequence[Program]) -> None:
    os.nice(10)
    for program in programs:
        _compile(go.command(), program)


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


def _explained(error: OSError | subprocess.CalledProcessError) -> str:
    what, words = (
        (error.cmd[-1], error.stderr) if isinstance(error, subprocess.CalledProcessError) else ("", str(error))
    )
    end = "\n".join(words.strip().splitlines()[-LAST_WORDS:])
    return (
        f"The control plane of the tests could not be built{what and f' ({what})'}:\n{end}\n"
        "The tests that need it will fail. Install Go 1.26 or later and let it reach its module proxy (GOPROXY), "
        "or name a folder with etcd and the three Kubernetes programs in KUBEBUILDER_ASSETS."
    )


if __name__ == "__main__":
    main()
