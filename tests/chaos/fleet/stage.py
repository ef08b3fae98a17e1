"""A pool of pods and the cluster where they are: real processes of real pods, under a real control plane."""

import secrets
from collections.abc import Mapping
from typing import Any

import httpx

from tests import processes
from tests.chaos.fleet.witness import Witness
from tests.cluster.api import Object, Refused
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.pod_life import PodLife
from tests.cluster.pods import pod
from tests.cluster.process_node import ProcessNode
from tests.e2e.platform import Platform
from tests.e2e.pod_crew import POOL_LABEL, PodCrew

MOST, LEAST, SLOTS = 3, 1, 2
SIZES: dict[str, Any] = {"min_replicas": LEAST, "max_replicas": MOST, "slots_per_pod": SLOTS}
PATIENCE: dict[str, Any] = {"idle_seconds": 3, "reservation_seconds": 15}
"""A plan that waits for a person keeps its pod for so long; then the pool goes back to its least."""

FOREIGNERS: Mapping[str, Mapping[str, str]] = {
    "theirs": {"app": "web"},
    "iac-theirs-1": {
        "app.kubernetes.io/managed-by": "iacplatform",
        POOL_LABEL: "pool-theirs",
        "iacplatform.io/pod": "1",
    },
}
"""Pods of somebody else, and of another installation of the platform: names and labels."""


class Fleet:
    """The pool is `crew`'s, from `furnish` on; `theirs`: UIDs of other people's pods by name."""

    def __init__(self, control_plane: ControlPlane, cluster: Cluster) -> None:
        self.control_plane, self.cluster = control_plane, cluster
        self.witness = Witness()
        self.theirs: dict[str, str] = {}
        self._crew: PodCrew | None = None

    @property
    def crew(self) -> PodCrew:
        """The pool, and who makes workspaces for it."""
        assert self._crew, "The pool is not there yet."
        return self._crew

    @property
    def nodes(self) -> list[ProcessNode]:
        """The nodes that its pods run on."""
        return self.cluster.nodes

    def furnish(self, platform: Platform, path: str) -> None:
        """Make the pool, a second node, and other people's pods; `path`: where the pods' agents look for engines."""
        self.cluster.another_node()
        for node in self.nodes:
            node.environment["PATH"] = path
        for name, labels in FOREIGNERS.items():
            made = self.cluster.create("pods", _foreigner(self.cluster, name, labels))
            self.theirs[name] = made["metadata"]["uid"]
        self._crew = PodCrew.of(platform, self.cluster, **SIZES, **PATIENCE)
        self.witness.home = platform.home
        self.cluster.proxy.witnesses.append(self.witness)

    def lives(self) -> list[PodLife]:
        """Return our pods that are on a node, the oldest first."""
        every = [life for node in self.nodes for life in list(node.kubelet.lives.values())]
        ours = [life for life in every if life.is_alive() and life.pod["metadata"]["name"] not in self.theirs]
        return sorted(ours, key=lambda life: str(life.pod["metadata"]["creationTimestamp"]))

    def engines(self) -> list[int]:
        """Return the processes of engines in our pods."""
        return [pid for life in self.lives() for pid in life.processes() if is_engine(pid)]

    def there(self) -> list[Object] | None:
        """Return all pods of the namespace as the API server has them; None while it does not answer."""
        try:
            return self.cluster.pods()
        except (httpx.TransportError, Refused):
            return None

    def secrets(self) -> list[str]:
        """Return the names of the Secrets of the pool's pods."""
        return [secret["metadata"]["name"] for secret in self.cluster.secrets(**{POOL_LABEL: self.crew.pool_id})]


def is_engine(pid: int) -> bool:
    """Return whether a process of a pod is an engine."""
    return "/terraform " in processes.arguments(pid)


def _foreigner(cluster: Cluster, name: str, labels: Mapping[str, str]) -> Object:
    # It stays on a node that is lost: who deletes it is to be us, or nobody.
    stays = {"tolerations": [{"operator": "Exists"}]}
    made = pod(cluster, name, "true", image=f"silent/{secrets.token_hex(2)}:1", spec=stays)
    made["metadata"]["labels"] = dict(labels)
    return made
