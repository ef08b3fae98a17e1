"""Whatever happens to pods, to their cluster and to our workers: work is safe, and everything comes to rest."""

import os

import pytest

from tests.simulation import batches
from tests.simulation.fleet.schedules import FLEET

SCHEDULES = int(os.environ.get("SIMULATION_SCHEDULES", "200"))
STEPS = int(os.environ.get("SIMULATION_STEPS", "20"))

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("simulated_pods")]


@pytest.mark.parametrize("seeds", batches.of(SCHEDULES), ids=lambda seeds: f"seeds {seeds[0]} to {seeds[-1]}")
def test_every_schedule_keeps_every_promise_and_comes_to_rest(seeds: range) -> None:
    batches.run(seeds, FLEET, STEPS)
