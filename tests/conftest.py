"""What every test may use. The database server comes from `tests/database.py`."""

import gc
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

from tests.waiting import ENOUGH_SECONDS, until

pytest_plugins = [
    "tests.emptying",
    "tests.lanes",
    "tests.other_process",
    "tests.passwords",
    "tests.provider_mirror",
    "tests.runner.mirror",
    "tests.static_files",
    "tests.watchdog",
    "tests.cluster.fixtures",
]

Condition = Callable[[], object]

# The same examples each time, however slow the machine is.
settings.register_profile(
    "tests", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


def pytest_collection_finish() -> None:
    """Leave what is loaded by now out of every search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Return a function that waits until a condition holds, at most `seconds`; it fails with the condition's name."""
    return _eventually


def _eventually(condition: Condition, seconds: float = ENOUGH_SECONDS) -> None:
    until(getattr(condition, "__name__", str(condition)), condition, seconds=seconds)
