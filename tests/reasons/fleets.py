"""A pool of pods in a real cluster, looked at when a test says so; agents of its pods are played by the test."""

from dataclasses import dataclass
from typing import Any

from agents.fleet import looks
from pools.models import K8sConfig, Pod, Pool
from tasks.models import Task
from tests import factories as rows
from tests.agents.scenes import workspace_of
from tests.cluster.cluster import Cluster
from tests.reasons.surroundings import Surroundings
from tests.waiting import until

SILENT = "silent/agent:1"
"""Runs, and never connects: who connects is for the test to say."""


@dataclass
class Fleet:
    """A pool without pods, its config, and the cluster that its pods go to."""

    around: Surroundings
    cluster: Cluster
    pool: Pool

    @classmethod
    def of(cls, around: Surroundings, cluster: Cluster, **columns: Any) -> "Fleet":
        """Return a pool of at most one pod in the cluster's namespace."""
        config = K8sConfig(name="cluster-1", namespace=cluster.namespace, image=SILENT, **cluster.placement)
        config.set_kubeconfig(cluster.kubeconfig)
        config.save()
        sizes = {"min_replicas": 0, "max_replicas": 1}
        return cls(
            around, cluster, rows.pool(name="pods-1", pool_type="k8s", k8s_config=config, **{**sizes, **columns})
        )

    def task(self) -> Task:
        """Return a new task that runs on the pool."""
        return self.around.create(workspace_of(self.pool))

    def change(self, **columns: Any) -> None:
        """Change the K8s config through the API."""
        self.around.change(f"/k8s-configs/{self.pool.k8s_config_id}", **columns)

    def look(self) -> None:
        """Let one look at the cluster and one sweep come by: what is seen is on the tasks then."""
        assert self.pool.k8s_config_id is not None
        looks.look(self.pool.k8s_config_id)
        self.around.sweep()

    @property
    def pod(self) -> Pod:
        """The newest pod that nobody removes."""
        staying = Pod.objects.filter(pool=self.pool, phase__in=["intended", "starting", "running"])
        return staying.earliest("-created_at", "-pk")

    def until_seen(self, look: Any) -> dict[str, Any]:
        """Return the newest pod as the cluster has it, once `look` finds in it what it wants."""
        found: dict[str, Any] = self.cluster.until_pod(self.pod.name, look)
        return found

    def until_replaced(self, old: Pod) -> Pod:
        """Look until the pool has another pod than this one, in the cluster too; return it."""

        def is_replaced() -> bool:
            self.look()
            others = Pod.objects.filter(pool=self.pool, phase="starting").exclude(pk=old.pk)
            return others.exists()

        until("another pod is made", is_replaced)
        return self.pod
