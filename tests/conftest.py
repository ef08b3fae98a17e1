"""What every test may use. The database server comes from `tests/database.py`."""

import gc
import time
from collections.abc import Callable

import pytest

pytest_plugins = ["tests.emptying", "tests.static_files", "tests.watchdog", "tests.cluster.fixtures"]

Condition = Callable[[], object]

GARBAGE = 20_000
"""Objects between two looks for garbage. Python's own 700 cost a test that asks the database some hundredths of its time."""


def pytest_collection_finish() -> None:
    """Leave what is loaded by now out of every search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 20)


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Return a function that waits until a condition holds, at most `seconds`; it fails with the condition's name."""
    return _eventually


def _eventually(condition: Condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {getattr(condition, '__name__', condition)}")
        time.sleep(0.01)
