"""A pool of pods of a test's own: real agents, started by a node of processes in a real cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.cluster.cluster import Cluster
from tests.e2e.client import Client, Row
from tests.e2e.platform import Platform
from tests.e2e.work import Workspace
from tests.waiting import until

POOL_LABEL = "iacplatform.io/pool"
GONE_SECONDS = 90.0
"""For pods to be drained one after the other, to end, and to be seen to be gone."""


@dataclass(kw_only=True)
class PodCrew:
    """A pool, its K8s config, and the cluster where its pods are."""

    platform: Platform
    client: Client
    cluster: Cluster
    pool_id: str
    config_id: int

    @classmethod
    def of(cls, platform: Platform, cluster: Cluster, *, image: str = "agent:1", **sizes: Any) -> "PodCrew":
        """Return a new pool, of none to three pods of one slot unless told otherwise; pods go after a second."""
        client, name = platform.client(), f"pods-{uuid4().hex[:8]}"
        where = {"kubeconfig": cluster.kubeconfig, "namespace": cluster.namespace, **cluster.placement}
        config = client.post("/k8s-configs", {"name": name, "image": image, **where}, status=201)
        of_pods = {"pool_type": "k8s", "k8s_config": config["id"], "min_replicas": 0, "max_replicas": 3}
        pool = client.post("/pools", {"name": name, **of_pods, "idle_seconds": 1, **sizes}, status=201)
        return cls(platform=platform, client=client, cluster=cluster, pool_id=pool["pool_id"], config_id=config["id"])

    def workspace(self, files: Mapping[str, str] | None = None, **facts: Any) -> Workspace:
        """Return a new workspace that runs here."""
        return Workspace.new(self.client, files, **{"execution_mode": "k8s", "pool_id": self.pool_id, **facts})

    def row(self) -> Row:
        """Return the pool as the API shows it."""
        row: Row = self.client.get(f"/pools/{self.pool_id}")
        return row

    def change(self, **columns: Any) -> None:
        """Change the pool."""
        self.client.patch(f"/pools/{self.pool_id}", columns)

    def configure(self, **columns: Any) -> None:
        """Change the K8s config."""
        self.client.patch(f"/k8s-configs/{self.config_id}", columns)

    def rows(self) -> list[Row]:
        """Return the pods that the platform knows of, those that are gone included, the newest first."""
        rows: list[Row] = self.client.get(f"/pools/{self.pool_id}/pods")["results"]
        return rows

    def pods(self) -> dict[str, Row]:
        """Return the pool's pods in the cluster, by name."""
        return {pod["metadata"]["name"]: pod for pod in self.cluster.pods(**{POOL_LABEL: self.pool_id})}

    def agents(self) -> list[Row]:
        """Return the pool's connected agents."""
        agents = self.client.get("/agents", params={"pool_id": self.pool_id})["results"]
        return [agent for agent in agents if agent["connected"]]

    def looks(self) -> int:
        """Return how many times the cluster has been looked at, as the proxy saw it."""
        return self.cluster.proxy.count("list", "pods")

    def until_pods(self, number: int, *, seconds: float = GONE_SECONDS) -> list[str]:
        """Return the names of the pool's pods, once there are so many in the cluster and for the platform."""

        def is_so() -> bool:
            known = [row["name"] for row in self.rows() if row["phase"] != "gone"]
            return len(known) == number and set(known) == self.pods().keys()

        until(f"pool {self.pool_id} has {number} pods", is_so, seconds=seconds)
        return sorted(self.pods())

    def until_connected(self, number: int, *, seconds: float = 60.0) -> list[Row]:
        """Return the pool's agents, once so many are connected."""
        return until(
            f"{number} agents are connected",
            lambda: found if len(found := self.agents()) == number else None,
            seconds=seconds,
        )

    def retire(self) -> None:
        """Leave nothing of it for the platform to look at for long."""
        self.change(min_replicas=0, max_replicas=0)
