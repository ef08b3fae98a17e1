"""What a long history costs: the same deeds with 1,000 and with 1,000,000 finished tasks, turn by turn.

`python -m benchmarks.history [FINISHED]`. Each of the two databases is served by a process of its own (`history_side`).
The number of queries must be the same; only the time may differ.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import IO, Any, cast

from benchmarks import figures
from benchmarks.installation import FOLDER
from iacplatform import postgres
from iacplatform.postgres.launcher import Launcher

FEW, MANY = 1_000, 1_000_000
ROUNDS = 30
GOAL = 1.2
DEEDS = ("claim", "sweep", "demand", "task list", "task list, page", "task", "task, page")

Measured = tuple[float, int]
"""Seconds and queries."""


@contextmanager
def side(home: Path, finished: int) -> Iterator[Any]:
    """Yield a process with so many finished tasks."""
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    environment |= {"IACPLATFORM_HOME": str(home), "DATABASE_URL": postgres.address(home)}
    with Launcher(home):
        migrate = [sys.executable, "manage.py", "migrate", "-v", "0"]
        subprocess.run(migrate, cwd=FOLDER, env=environment, check=True)
        command = [sys.executable, "-m", "benchmarks.history_side", str(finished)]
        with subprocess.Popen(
            command, cwd=FOLDER, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            yield child
            cast(IO[str], child.stdin).close()


def asked(child: Any, deed: str) -> Measured:
    """Have a side do it once."""
    child.stdin.write(f"{deed}\n")
    child.stdin.flush()
    seconds, queries = _line(child.stdout).split()
    return float(seconds), int(queries)


def measure(few: Any, many: Any) -> None:
    """Take turns and print the figures; fail where the number of queries depends on the history."""
    for deed in DEEDS:
        asked(few, deed), asked(many, deed)
        rounds = [(asked(few, deed), asked(many, deed)) for _ in range(ROUNDS)]
        queries = {count for pair in rounds for _, count in pair}
        ours, peer = [pair[1][0] for pair in rounds], [pair[0][0] for pair in rounds]
        ratio = median(mine / other for mine, other in zip(ours, peer, strict=True))
        if len(queries) > 1:
            raise SystemExit(f"{deed}: the number of queries depends on the history: {sorted(queries)}.")
        times = f"{median(peer) * 1000:.1f} ms and {median(ours) * 1000:.1f} ms"
        verdict = "met" if ratio <= GOAL else "MISSED"
        print(f"{deed}: {times}, {queries.pop()} queries, ratio {ratio:.2f} (goal {GOAL}: {verdict})")


def _line(output: IO[str]) -> str:
    if line := output.readline():
        return line
    raise SystemExit("A side of the benchmark ended.")


if __name__ == "__main__":
    finished = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    print(f"{FEW} and {finished} finished tasks, {ROUNDS} rounds, {figures.machine()}")
    with ExitStack() as stack:
        homes = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="iac-benchmark-"))) for _ in range(2)]
        measure(*(stack.enter_context(side(home, count)) for home, count in zip(homes, (FEW, finished), strict=True)))
