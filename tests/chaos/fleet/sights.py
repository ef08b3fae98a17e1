"""What rows and cluster say of the pool's pods, read past the platform."""

from dataclasses import dataclass
from typing import LiteralString

from pools.models import STAYING, Pod
from tests.chaos.fleet.stage import Fleet
from tests.chaos.rows import Row, Rows
from tests.cluster.api import Object
from tests.e2e.pod_crew import POOL_LABEL

_BUSY: LiteralString = """
    SELECT pod_name, count(*) FILTER (WHERE lease <> '') AS leases FROM tasks_task
    WHERE pod_name <> '' AND (lease <> '' OR status = 'needs_attention') GROUP BY pod_name
"""
"""Pods that hold leases, or where an apply may still be under way."""

_CONNECTED: LiteralString = """
    SELECT pod_name FROM agents_agent WHERE pod_name <> '' AND session <> '' AND lease_until > iac_now()
"""
_GONE: LiteralString = "SELECT uid FROM pools_pod WHERE phase = 'gone' AND uid <> ''"
_LEFT_TOKENS: LiteralString = """
    SELECT pod.name FROM pools_pooltoken AS token JOIN pools_pod AS pod ON pod.id = token.pod_id WHERE pod.phase = 'gone'
"""


@dataclass(frozen=True, kw_only=True)
class Sights:
    """`rows`: all pods of the pool that ever were. `there`: its pods in the cluster, None while that is away.

    `gone`: UIDs of pods that were gone for the platform before the cluster was asked; `busy`: leases of each pod that holds some or is in doubt; `connected`: pods whose agents are; `tokens`: pods that
    are gone and have one; `condition`: what the pool shows.
    """

    rows: list[Pod]
    there: list[Object] | None
    gone: set[str]
    busy: dict[str, int]
    connected: set[str]
    tokens: list[str]
    condition: str

    @property
    def live(self) -> list[Pod]:
        """Pods that are not gone."""
        return [row for row in self.rows if row.phase != "gone"]

    @property
    def staying(self) -> list[Pod]:
        """Pods whose removal has not begun."""
        return [row for row in self.rows if row.phase in STAYING]


def of(fleet: Fleet, rows: Rows) -> Sights:
    """Return them. The cluster comes before the rows of pods: a pod that is there has its row by then."""
    pool = fleet.crew.pool_id
    gone = {row["uid"] for row in rows.all(_GONE)}
    everybody = fleet.there()
    there = everybody and [pod for pod in everybody if pod["metadata"].get("labels", {}).get(POOL_LABEL) == pool]
    status: list[Row] = rows.all("SELECT * FROM pools_poolstatus WHERE pool_id = %s", pool)
    return Sights(
        there=there,
        gone=gone,
        rows=[Pod(**row) for row in rows.all("SELECT * FROM pools_pod WHERE pool_id = %s ORDER BY id", pool)],
        busy={row["pod_name"]: row["leases"] for row in rows.all(_BUSY)},
        connected={row["pod_name"] for row in rows.all(_CONNECTED)},
        tokens=[row["name"] for row in rows.all(_LEFT_TOKENS)],
        condition=" ".join(f"{row['condition_code']} {row['condition_message']}" for row in status).strip(),
    )
