"""What a simulated world stands on: a clock that stands still, and the world that every schedule begins in."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulation import alarm, batches, beginnings
from tests.simulation.life import Life
from tests.simulation.world import World


@pytest.fixture(scope="module")
def _world(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), beginnings.begun(Life, World):
        yield


@pytest.fixture
def simulated(_world: None, transactional_db: None) -> Iterator[None]:
    """Make `Life` possible."""
    with alarm.listening():
        yield


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many schedules were tried, and of which seeds."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    tried = [report for report in reports if report.when == "call" and "_half.py::" in report.nodeid]
    failed = sum(report.failed for report in tried)
    if tried:
        terminalreporter.write_line(
            f"simulation: {min(len(tried) * batches.BATCH, batches.SCHEDULES)} schedules of {batches.STEPS} steps, "
            f"seeds {batches.SEEDS[0]} to {batches.SEEDS[-1]}; {failed} of {len(tried)} batches failed"
        )
