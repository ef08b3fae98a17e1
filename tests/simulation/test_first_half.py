"""No task is ever silently stuck, and nothing is applied that nobody confirmed: random schedules, every second batch.

`make simulate N=10000` tries that many. A failure prints its steps, and how to bring them again.
"""

import pytest

from tests.simulation import batches

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("simulated")]


@pytest.mark.parametrize("seeds", batches.BATCHES[0::2], ids=lambda seeds: f"seeds {seeds[0]} to {seeds[-1]}")
def test_every_schedule_keeps_every_promise_and_comes_to_rest(seeds: range) -> None:
    batches.run(seeds)
