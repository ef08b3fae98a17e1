"""What the schedules of pods are worth: each fault that is put in by hand, they find within a few."""

import pytest

from tests.simulation import batches
from tests.simulation.fleet.planted import FAULTS
from tests.simulation.fleet.schedules import FLEET
from tests.simulation.planted import Planted

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("simulated_pods")]

STEPS = 20
MOST = 100
"""Schedules; the first finds it, unless the database brings rows in another order than when its seed was noted."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Planted) -> None:
    with fault.plant():
        assert batches.hunt(range(fault.seed, fault.seed + MOST), fault.finds, FLEET, STEPS)
