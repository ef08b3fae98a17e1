"""No task is ever silently stuck, and nothing is applied that nobody confirmed: shown by random schedules.

`make simulate N=10000` tries more of them. A failure prints its steps, and SIMULATION_SEED brings the same ones again.
"""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import Platform

SCHEDULES = int(os.environ.get("SIMULATION_SCHEDULES", "100"))
SEED = int(os.environ.get("SIMULATION_SEED", "3"))
STEPS = int(os.environ.get("SIMULATION_STEPS", "30"))


@pytest.fixture
def quiet() -> Iterator[None]:
    """Thousands of lines about dispatching would cost more than dispatching."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(60 + SCHEDULES * 5)
@pytest.mark.usefixtures("quiet")
def test_every_schedule_keeps_every_promise_and_comes_to_rest() -> None:
    chosen = settings(
        max_examples=SCHEDULES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    print(f"To replay: SIMULATION_SCHEDULES={SCHEDULES} SIMULATION_SEED={SEED} SIMULATION_STEPS={STEPS}")
    run_state_machine_as_test(seed(SEED)(Platform), settings=chosen)
