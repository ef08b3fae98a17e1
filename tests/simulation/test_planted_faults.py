"""What the simulation is worth: each fault that is put into the platform by hand, it finds within a few schedules."""

import pytest

from tests.simulation import batches
from tests.simulation.planted import FAULTS, Planted

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("simulated")]


MOST = 200
"""Schedules; the first finds it, unless the database brings rows in another order than when its seed was noted."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Planted) -> None:
    with fault.plant():
        assert batches.hunt(range(fault.seed, fault.seed + MOST), fault.finds)
