"""Random schedules in batches: so many as the environment says, each batch known by its seed.

SIMULATION_SCHEDULES of SIMULATION_STEPS steps each, from SIMULATION_SEED on. With SIMULATION_SHRINK=1 a failing schedule
is made smaller, which takes minutes: for one that is replayed.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import Platform

BATCH = 10
"""After ten examples Hypothesis begins to vary those it has; ten with another seed are more different."""

SCHEDULES = int(os.environ.get("SIMULATION_SCHEDULES", "300"))
STEPS = int(os.environ.get("SIMULATION_STEPS", "50"))
FIRST_SEED = int(os.environ.get("SIMULATION_SEED", "1"))
SHRINKS = os.environ.get("SIMULATION_SHRINK") == "1"
SEEDS = range(FIRST_SEED, FIRST_SEED + max(1, SCHEDULES // BATCH))

CHOSEN = settings(
    max_examples=min(BATCH, SCHEDULES),
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink] if SHRINKS else [Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)

HUNTED = 3
"""Schedules in a batch in which a planted fault is looked for."""

MOST_HUNTS = 6
"""Batches in which a planted fault is looked for; the first should find it."""


def run(number: int) -> None:
    """Run the batch of this seed. A failure prints its steps, and how to bring them again."""
    print(f"To replay, smaller: make simulate SEED={number} N={BATCH} STEPS={STEPS}")
    run_state_machine_as_test(seed(number)(Platform), settings=CHOSEN)


def hunt(number: int) -> str:
    """Return the sentence of the first promise that is found broken, from this seed on; empty: none was."""
    for turn in range(number, number + MOST_HUNTS):
        try:
            run_state_machine_as_test(seed(turn)(Platform), settings=settings(CHOSEN, max_examples=HUNTED))
        except (Exception, pytest.fail.Exception) as broken:
            return str(broken).partition("\n")[0]
    return ""
