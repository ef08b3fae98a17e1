"""Everything breaks while people work; then all of it comes to rest, and every promise was kept."""

import os
from pathlib import Path

import pytest

from tests import processes
from tests.chaos import faults, storm
from tests.chaos.fleet import faults as of_pods
from tests.chaos.fleet.stage import Fleet
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.waiting import until

MINUTES = float(os.environ.get("CHAOS_MINUTES", "2"))
"""How long things break; with start and healing the test takes about a minute longer."""

SEED = int(os.environ.get("CHAOS_SEED", "41"))
"""Which faults strike when; `make chaos` takes a new one each time."""


@pytest.mark.slow
@pytest.mark.timeout(MINUTES * 60 + 420)
async def test_after_any_faults_everything_comes_to_rest_and_no_promise_is_broken(
    tmp_path: Path, control_plane: ControlPlane, cluster: Cluster
) -> None:
    plans = faults.planned(SEED, MINUTES) + of_pods.planned(SEED, MINUTES)
    print("plan of faults:", *sorted(plans, key=lambda fault: fault.at), sep="\n  ")
    async with storm.blown(tmp_path, SEED, MINUTES, Fleet(control_plane, cluster)) as blown:
        print(*blown.figures.lines(blown.evidence, blown.fleet), sep="\n")
        assert not blown.broken, "\n".join([f"CHAOS_SEED={SEED}:", *blown.broken])
    until("no process of it is left", lambda: not processes.of(tmp_path))
