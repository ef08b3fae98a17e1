"""Builds those programs of the tests that are missing; one line when there is something to do, none when there is not.

Exits with 0 also where it fails: the tests that need them then fail, and all others can run.
"""

import os
import subprocess
import sys

from tests.cluster.binaries import building
from tests.cluster.binaries.programs import FOR_TESTS

LAST_WORDS = 3
"""Lines of a failed command's output that are shown."""


def main() -> None:
    """Build the missing programs; one process of this machine at a time, the others find them built."""
    missing = building.missing(FOR_TESTS)
    if not missing:
        return
    names = ", ".join(program.name for program in missing)
    print(f"Building {names} for the tests; all of them take about 8 minutes, once.", flush=True)
    try:
        os.nice(10)
        building.build(missing)
    except (OSError, subprocess.CalledProcessError) as error:
        print(_explained(error), file=sys.stderr)


def _explained(error: OSError | subprocess.CalledProcessError) -> str:
    what, words = (
        (error.cmd[-1], error.stderr) if isinstance(error, subprocess.CalledProcessError) else ("", str(error))
    )
    end = "\n".join(words.strip().splitlines()[-LAST_WORDS:])
    return (
        f"The programs of the tests could not be built{what and f' ({what})'}:\n{end}\n"
        "The tests that need it will fail. Install Go 1.26 or later and let it reach its module proxy (GOPROXY), "
        "or name a folder that holds those programs in KUBEBUILDER_ASSETS."
    )


if __name__ == "__main__":
    main()
