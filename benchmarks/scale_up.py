"""From a task that finds no slot to the call that makes its pod, at a real API server; alone, and beside a cluster that
hangs.

The beginning is the commit of the task (the commit's own time stamp), the end the arrival of the call at the API
server's door. Nothing is simulated but the node: web server and worker are processes as `manage.py up` starts them.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg

from benchmarks import figures
from benchmarks.installation import Installation, installed, process
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Hang

SAMPLES = 30
GOAL_SECONDS = 1.0
APART_SECONDS = 1.1
"""Between two tasks, so that the budget of calls is not what is measured."""
PATIENCE_SECONDS = 30
CREATE = ("create", "pods")

_numbers = count(1)


class Demand:
    """A pool in a cluster, and a workspace whose plans each need a pod of their own."""

    def __init__(self, api: httpx.Client, cluster: Cluster) -> None:
        self.api, self.cluster = api, cluster
        number = next(_numbers)
        config = self._made(
            "/k8s-configs",
            name=f"cluster-{number}",
            kubeconfig=cluster.kubeconfig,
            namespace=cluster.namespace,
            image="agent:1",
            node_selector={"nowhere": "true"},  # only the call is measured, so no node has to run anything
        )
        sizes = {"min_replicas": 0, "max_replicas": 500, "idle_seconds": 3600}
        pool = self._made("/pools", name=f"pods-{number}", pool_type="k8s", k8s_config=config["id"], **sizes)
        place = {"execution_mode": "k8s", "pool_id": pool["pool_id"]}
        self.workspace = self._made("/workspaces", name=f"demand-{number}", **place)["workspace_id"]
        files = {"main.tf": 'resource "terraform_data" "one" {}\n'}
        self._made(f"/workspaces/{self.workspace}/configurations", files=files)

    def grow(self) -> tuple[int, float]:
        """Create a task; return its id, and when the call came that makes its pod."""
        self.cluster.proxy.forget()
        until = time.monotonic() + PATIENCE_SECONDS
        task = self.ask()
        while not (calls := [seen for seen in self.cluster.proxy.requests if (seen.verb, seen.resource) == CREATE]):
            if time.monotonic() > until:
                raise SystemExit(f"No pod was asked for within {PATIENCE_SECONDS} s.")
            time.sleep(0.002)
        return task, time.time() - (time.monotonic() - calls[0].at)

    def ask(self) -> int:
        """Create a task, and wait for nothing; return its id."""
        return int(self._made(f"/workspaces/{self.workspace}/tasks", task_type="plan")["id"])

    def _made(self, path: str, **body: object) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.post(path, json=body).raise_for_status().json()
        return answer


def measure(here: Installation, good: Cluster, hanging: Cluster) -> None:
    """Print the figures."""
    with here.client() as api, psycopg.connect(here.database_url, autocommit=True) as database:
        demand, beside = Demand(api, good), Demand(api, hanging)
        for _ in range(5):
            demand.grow()
        alone = _samples(demand, None, database)
        hanging.proxy.fault(Hang(), times=None)
        together = _samples(demand, beside, database)
        hanging.proxy.heal()
    for what, samples in (("alone", alone), ("beside a cluster that hangs", together)):
        figures.times(f"demand to create call, {what}", samples, goals={95: GOAL_SECONDS})


def _samples(demand: Demand, beside: Demand | None, database: psycopg.Connection) -> list[float]:
    calls: dict[int, float] = {}
    for _ in range(SAMPLES):
        if beside is not None:
            beside.ask()
        began = time.monotonic()
        task, called = demand.grow()
        calls[task] = called
        time.sleep(max(0.0, APART_SECONDS - (time.monotonic() - began)))
    query = "SELECT task_id, pg_xact_commit_timestamp(xmin) FROM tasks_taskevent WHERE event = 'created'"
    return [calls[task] - committed.timestamp() for task, committed in database.execute(query) if task in calls]


@contextmanager
def _clusters(folder: Path) -> Iterator[tuple[Cluster, Cluster]]:
    with ControlPlane(folder) as home, Cluster(home) as good, Cluster(home) as hanging:
        yield good, hanging


if __name__ == "__main__":
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="iac-benchmark-")))
        clusters = ends.enter_context(_clusters(folder))
        installation = ends.enter_context(installed({"track_commit_timestamp": "on"}))
        worker = [sys.executable, "manage.py", "qcluster"]
        ends.enter_context(process(worker, installation.environment, installation.home / "worker.log"))
        measure(installation, *clusters)
