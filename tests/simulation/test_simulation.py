"""No task is ever silently stuck, and nothing is applied that nobody confirmed: shown by random schedules.

`make simulate N=10000` tries that many. A failure prints its steps; the test's name has the seed that brings them again.
"""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import Platform

SCHEDULES = int(os.environ.get("SIMULATION_SCHEDULES", "100"))
FIRST_SEED = int(os.environ.get("SIMULATION_SEED", "1"))
STEPS = int(os.environ.get("SIMULATION_STEPS", "30"))

BATCH = 10
"""After ten examples Hypothesis begins to vary those it has; ten with another seed are more different."""

CHOSEN = settings(
    max_examples=min(BATCH, SCHEDULES),
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def quiet() -> Iterator[None]:
    """Thousands of lines about dispatching would cost more than dispatching."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(900)  # a failure is made smaller for up to five minutes
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("number", range(FIRST_SEED, FIRST_SEED + max(1, SCHEDULES // BATCH)), ids="seed {}".format)
def test_every_schedule_keeps_every_promise_and_comes_to_rest(number: int) -> None:
    print(f"To replay: SIMULATION_SEED={number} SIMULATION_SCHEDULES={BATCH} SIMULATION_STEPS={STEPS}")
    run_state_machine_as_test(seed(number)(Platform), settings=CHOSEN)
