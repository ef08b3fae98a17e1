"""A pool with the agents that are there: one row, so that a look at a pool costs little however many they are."""

from dataclasses import dataclass
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from agents import holds, pauses
from agents.holds import Hold
from agents.models import Agent
from agents.pauses import Pause
from iacplatform.base import clock
from iacplatform.base.prepared import Given, Prepared
from pools.models import Pool

_COLUMNS = ("agent_id", "name", "session", "draining", "pod_name", "capacity", "engines", "fetches", "os", "arch")


@dataclass(frozen=True, kw_only=True)
class Present:
    """An agent that is within its lease. `pause`: it has let offers lapse. Otherwise as its row has it."""

    agent_id: str
    name: str
    session: str
    draining: bool
    pod_name: str
    capacity: int
    engines: list[dict[str, str]]
    fetches: list[str]
    os: str
    arch: str
    holds: list[Hold]
    pause: Pause | None

    @classmethod
    def read(cls, row: dict[str, Any]) -> Self:
        """Return what the database wrote as JSON."""
        held = [Hold.read(row["agent_id"], each) for each in row.pop("held")]
        return cls(holds=held, pause=pauses.read(row.pop("lapsed")), **row)

    @property
    def is_away(self) -> bool:
        """Whether it was cut off within its lease."""
        return not self.session and not self.draining

    @property
    def is_leaving(self) -> bool:
        """Whether it is connected and takes nothing new."""
        return bool(self.session) and self.draining

    @property
    def is_working(self) -> bool:
        """Whether it is connected and takes something new."""
        return bool(self.session) and not self.draining


def of(pool_id: str) -> tuple[Pool | None, list[Present]]:
    """Return the pool, None where it is gone, and its agents by name: one query."""
    pool: Any = _pool_with_agents.first(pool_id=pool_id)
    return pool, [Present.read(row) for row in pool.present] if pool else []


@Prepared
def _pool_with_agents() -> QuerySet[Pool]:
    return Pool.objects.annotate(present=_column()).filter(pk=Given.text("pool_id"))


def _column() -> ArraySubquery:
    agents = Agent.objects.filter(pool=OuterRef("pk"), lease_until__gt=clock.DatabaseNow()).order_by("name")
    columns = {name: F(name) for name in _COLUMNS}
    return ArraySubquery(agents.values(row=JSONObject(held=holds.column(), lapsed=pauses.column(), **columns)))
