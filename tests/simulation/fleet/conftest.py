"""The world with pods that every schedule here begins in."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulation import alarm, beginnings
from tests.simulation.fleet.life import FleetLife
from tests.simulation.fleet.world import FleetWorld


@pytest.fixture(scope="module")
def _world_with_pods(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), beginnings.begun(FleetLife, FleetWorld):
        yield


@pytest.fixture
def simulated_pods(_world_with_pods: None, transactional_db: None) -> Iterator[None]:
    """Make `FleetLife` possible."""
    with alarm.listening():
        yield
