"""Random schedules in batches: so many as the environment says, each schedule known by its seed.

SIMULATION_SCHEDULES of SIMULATION_STEPS steps each, from SIMULATION_SEED on. With SIMULATION_SHRINK=1 a failing schedule
is made smaller, which takes a minute: for one that is replayed.
"""

import os

import pytest

from tests.simulation import schedules
from tests.simulation.schedules import PLAIN, Kind

BATCH = 10
"""Schedules in a test."""

SCHEDULES = int(os.environ.get("SIMULATION_SCHEDULES", "300"))
STEPS = int(os.environ.get("SIMULATION_STEPS", "50"))
FIRST_SEED = int(os.environ.get("SIMULATION_SEED", "1"))
SHRINKS = os.environ.get("SIMULATION_SHRINK") == "1"
SEEDS = range(FIRST_SEED, FIRST_SEED + SCHEDULES)


def of(schedules: int) -> list[range]:
    """Return the seeds of so many schedules, in batches."""
    seeds = range(FIRST_SEED, FIRST_SEED + schedules)
    return [seeds[begin : begin + BATCH] for begin in range(0, schedules, BATCH)]


BATCHES = of(SCHEDULES)


def run(seeds: range, kind: Kind = PLAIN, steps: int = STEPS) -> None:
    """Play the schedules of these seeds. The first failure prints its steps, and how to bring them again."""
    for seed in seeds:
        drawn = schedules.drawn(seed, steps, kind)
        if sentence := schedules.broken(drawn, kind):
            _tell(f"{kind.option} SEED={seed} STEPS={steps}", schedules.shrunk(drawn, kind) if SHRINKS else drawn)
            pytest.fail(f"seed {seed}: {sentence}", pytrace=False)


def hunt(seeds: range, finds: str, kind: Kind = PLAIN, steps: int = STEPS) -> int:
    """Return the first of the seeds that breaks the promise whose sentence says `finds`; 0 where none does."""
    found = (seed for seed in seeds if finds in schedules.broken(schedules.drawn(seed, steps, kind), kind))
    return next(found, 0)


def _tell(options: str, steps: list[schedules.Step]) -> None:
    print(f"To replay, with as few steps as it takes: make simulate {options.strip()}")
    print(*steps, sep="\n")
