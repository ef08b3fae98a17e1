"""What can happen besides, in a step: to pods, to the cluster's API, and to the pool's limits."""

from datetime import datetime, timedelta
from typing import Any

from agents.fleet import troubles
from iacplatform.base import clock
from pools.models import K8sConfig, Pod
from tasks.models import Task
from tasks.states import Lease
from tests.simulation.fleet.life import FleetLife
from tests.simulation.machine import Platform
from tests.simulation.processes import Fault
from tests.simulation.world import pick


class FleetPlatform(Platform):
    """A life with the verbs of its steps."""

    def __init__(self) -> None:
        self.life: FleetLife = FleetLife()
        self.world, self.people, self.crew = self.life.world, self.life.people, self.life.crew
        self.fleet = self.life.fleet

    def node(self, what: str, number: int, fault: Fault) -> None:
        """Something happens to a pod, or to its node."""
        pods = sorted(self.fleet.cluster.pods.values(), key=lambda pod: pod.name)
        ours = [pod for pod in pods if pod.is_ours and not pod.deleting] or pods
        if ours:
            with self.life.harmed(fault):
                self.fleet.node.happenings()[what](pick(ours, number))

    def stranger(self, what: str, number: int) -> None:
        """A pod is there that the platform did not make, or does not know any more."""
        if what == "forgotten":
            self._forget(number)
        elif what == "orphan":
            self.fleet.node.orphan(number, self.fleet.pool)
        else:
            self.fleet.node.foreign(number, similar=what == "similar")

    def api(self, what: str, on: str) -> None:
        """The cluster's API fails from now on, all of it or one call; or it is well again."""
        self.fleet.cluster.ail(what, on)

    def pool(self, what: str, number: int) -> None:
        """A person gives the pool other limits, another configuration, or presses retry."""
        pool, now = self.fleet.pool, clock.now()
        changes: dict[str, dict[str, Any]] = {
            "max": {"max_replicas": max(pool.min_replicas, number % 4)},
            "min": {"min_replicas": min(pool.max_replicas, number % 2)},
            "freeze": {"freeze_windows": [_window(now)], "unfrozen_until": None},
            "thaw": {"freeze_windows": []},
        }
        if what in changes:
            self.fleet.change_pool(**changes[what])
        elif what == "image":
            K8sConfig.objects.filter(pools=pool).update(image=f"registry.test/agent:{number}")
        elif what == "unfreeze" and pool.is_frozen(now):
            pool.unfreeze()
        else:
            troubles.forgive([pool.pk])

    def move(self, number: int, fault: Fault) -> None:
        """A person lets a workspace's tasks run on the pool of pods."""
        with self.life.harmed(fault):
            self.people.meddle("fleet", pick(self.world.workspaces, number), by=0)

    def _forget(self, number: int) -> None:
        """A database of old is restored: it does not know a pod whose agent holds nothing."""
        held = Task.objects.exclude(lease=Lease.NONE).values("pod_name")
        rows = Pod.objects.live().filter(pool=self.fleet.pool).exclude(name__in=held).order_by("name")
        if rows:
            rows.filter(pk=pick(list(rows), number).pk).delete()


def _window(now: datetime) -> dict[str, Any]:
    start, end = now - timedelta(minutes=10), now + timedelta(hours=2)
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return {"days": days, "start": f"{start:%H:%M}", "end": f"{end:%H:%M}", "timezone": "UTC"}
