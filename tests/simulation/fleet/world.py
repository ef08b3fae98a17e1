"""The simulated world with a pool of pods in it, and with the worker that looks at their cluster."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from django.db import OperationalError
from django_q.models import OrmQ

from agents.fleet import jobs, troubles
from pools import kube
from pools.models import Pool
from tasks import creation
from tasks.states import TaskType
from tests import factories as things
from tests.simulation.fleet.cluster import Cluster, Door
from tests.simulation.fleet.node import Node
from tests.simulation.world import World
from tests.tasks import factories
from workspaces.models import ExecutionMode

FLEET: dict[str, Any] = {
    "name": "fleet",
    "min_replicas": 0,
    "max_replicas": 3,
    "slots_per_pod": 2,
    "idle_seconds": 20,
    "reservation_seconds": 60,
    "freeze_windows": [],
    "unfrozen_until": None,
}


@dataclass
class FleetWorld(World):
    """`is_well`: the cluster and its node are well again, and do all by themselves that they can."""

    cluster: Cluster = field(default_factory=Cluster)
    is_well: bool = False

    def __post_init__(self) -> None:
        self.node = Node(self.cluster, self.ledger, self.processes, self.agents)

    @property
    def pool(self) -> Pool:
        """The pool of pods, as it is now."""
        return Pool.objects.get(name="fleet")

    def change_pool(self, **columns: Any) -> None:
        """Give the pool other limits."""
        Pool.objects.filter(name="fleet").update(**columns)

    def _settle(self) -> None:
        super()._settle()
        pool = things.k8s_pool(**FLEET)
        for number in range(3):
            named = {"execution_mode": ExecutionMode.K8S, "pool": pool}
            workspace = factories.workspace(name=f"shop-fleet-{number}", auto_apply=number == 0, **named)
            self.workspaces.append(workspace)
        for workspace in self.workspaces[-2:]:
            creation.create(workspace, task_type=TaskType.PLAN_AND_APPLY, by=self.people[0])

    @contextmanager
    def alive(self) -> Iterator[None]:
        """As before; and whoever asks for the cluster finds this one."""
        door = mock.patch.object(kube, "Cluster", lambda config: Door(self.cluster))
        with super().alive(), door, mock.patch.object(jobs, "APART_SECONDS", 0):
            yield

    def pass_time(self, seconds: int, *, swept: bool, served: bool = True) -> bool:
        """Let time pass, in which pods live; and the cluster be looked at where a worker is at work."""
        was_swept = super().pass_time(seconds, swept=swept, served=served)
        self.node.live()
        if self.is_well:
            self.node.settle()
        return was_swept

    def repair(self) -> None:
        """Take every cause of trouble away, as people would who read what the pool says."""
        self.is_well = True
        self.cluster.ail("", "")
        self.change_pool(freeze_windows=[], max_replicas=3)
        troubles.forgive([self.pool.pk])

    def _sweep(self) -> bool:
        was_swept = super()._sweep()
        config = self.pool.k8s_config_id
        assert config is not None
        OrmQ.objects.all().delete()
        with suppress(OperationalError):  # another process has the rows: the job fails, and the sweep asks for the next
            jobs.look_at(config)
        return was_swept
