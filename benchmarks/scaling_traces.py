"""1,000 random traces of demand, replayed through our autoscaler and others: what each costs, and what it makes wait.

`python -m benchmarks.scaling_traces [TRACES]`. Minimum, maximum, idle time (their cool-down) and start of a pod are
the same for all; one slot a pod, as theirs have no more.
"""

import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iacplatform.settings")
django.setup()

from benchmarks import scaling_policies as policies
from benchmarks.scaling_world import Figures, trace

TRACES = 1000
RESERVATION_SECONDS = 3600

OURS, THEIRS, BEST = "ours", "HCP operator", "an oracle"
POLICIES: dict[str, policies.Policy] = {
    OURS: policies.ours,
    "ours, a third of the idle time": partial(policies.ours, idle_share=1 / 3),
    "ours, as early as it could": partial(policies.ours, is_eager=True),
    "ours, slots kept for applies": partial(policies.ours, reservation_seconds=RESERVATION_SECONDS),
    THEIRS: policies.hcp,
    "HCP operator, growing at once": partial(policies.hcp, up_seconds=0),
    "KEDA ScaledJob, default": partial(policies.keda, is_accurate=False),
    "KEDA ScaledJob, accurate": partial(policies.keda, is_accurate=True),
    BEST: policies.oracle,
}


def replay(seed: int) -> dict[str, Figures]:
    """Return what one trace costs, by policy."""
    return {name: policy(trace(seed)) for name, policy in POLICIES.items()}


def total(each: Iterable[dict[str, Figures]]) -> dict[str, Figures]:
    """Return the sums by policy."""
    sums = {name: Figures() for name in POLICIES}
    for found in each:
        for name, figures in found.items():
            sums[name].add(figures)
    return sums


def main() -> None:
    """Print a line for each policy, and what became of the goal."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TRACES
    with ProcessPoolExecutor() as workers:
        sums = total(workers.map(replay, range(1, count + 1), chunksize=5))
    print(f"{count} traces: minutes in all, and the ratio to an oracle that knows the future")
    for name, found in sums.items():
        print(f"  {name:31} {_line(found, sums[BEST])}")
    for name in (THEIRS, "HCP operator, growing at once"):
        print(f"  {_verdict(sums[OURS], sums[name], name)}")


def _line(found: Figures, best: Figures) -> str:
    surplus = f"surplus {found.surplus:8.0f} ({found.surplus / best.surplus:5.2f})"
    waited = f"waited {found.waited:8.0f} ({found.waited / best.waited:5.2f})"
    return f"{surplus}  {waited}  deleted at work {found.deleted_at_work}, cut off {found.cut_off}"


def _verdict(ours: Figures, theirs: Figures, name: str) -> str:
    surplus, waited = ours.surplus / theirs.surplus, ours.waited / theirs.waited
    is_met = max(surplus, waited) <= 1 and min(surplus, waited) < 1 and not ours.deleted_at_work
    figures = f"surplus {surplus:.2f}, waited {waited:.2f}"
    return f"ours to the {name}: {figures} (goal: none above 1, one below: {'met' if is_met else 'MISSED'})"


if __name__ == "__main__":
    main()
