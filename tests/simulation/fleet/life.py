"""A life in a world with pods: what is promised of them is checked as well, and they are repaired before the rest."""

from typing import cast

from agents.fleet import jobs
from pools.models import K8sConfig
from tests.simulation.fleet.promises import Promises
from tests.simulation.fleet.world import FLEET, FleetWorld
from tests.simulation.life import Life

IMAGE = "registry.test/agent:0"


class FleetLife(Life):
    """`made`: a snapshot of a world with a pool of pods."""

    def __init__(self) -> None:
        super().__init__()
        self.fleet = cast(FleetWorld, self.world)
        self.fleet.change_pool(**FLEET)  # rows of pools and configs are not brought back
        K8sConfig.objects.update(image=IMAGE)
        self.pods = Promises(self.fleet)

    def check(self) -> None:
        """Fail where a promise is broken."""
        super().check()
        self.pods.check()

    def come_to_rest(self) -> None:
        """Let the cluster be well, and everything come to rest."""
        self.fleet.repair()
        super().come_to_rest()
        self.pass_time(2 * 60, swept=True)
        self.pass_time(jobs.EVERY_SECONDS + 1, swept=True)
        self.check()
        self.pods.check_at_rest()
