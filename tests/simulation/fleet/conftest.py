"""The world with pods that every schedule here begins in."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import emptying
from tests.simulation import alarm, clockwork, processes
from tests.simulation.fleet.life import FleetLife
from tests.simulation.fleet.world import FleetWorld
from tests.simulation.snapshot import Snapshot


@pytest.fixture(scope="module")
def _world_with_pods(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        emptying.empty()
        with clockwork.standing():
            FleetLife.made = Snapshot(FleetWorld.made())
            yield
            processes.close()
            emptying.empty()


@pytest.fixture
def simulated_pods(_world_with_pods: None, transactional_db: None) -> Iterator[None]:
    """Make `FleetLife` possible."""
    with alarm.listening():
        yield
