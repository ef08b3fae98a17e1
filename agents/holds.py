"""What an agent holds: the slots that tasks have a lease on, read in the one statement that reads the agent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef
from django.db.models.functions import JSONObject

from tasks.models import Task
from tasks.states import Lease, Stage

_COLUMNS = ("epoch", "lease", "phase", "slot", "stage", "lease_expires_at")


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A lease of a task on a slot. `lease_expires_at`: None while the task runs there."""

    task: int
    epoch: int
    agent_id: str
    slot: int
    lease: Lease
    phase: str
    stage: str
    lease_expires_at: datetime | None

    @classmethod
    def read(cls, agent_id: str, row: dict[str, Any]) -> Self:
        """Return what the database wrote as JSON."""
        until = row["lease_expires_at"]
        lease, until = Lease(row["lease"]), None if until is None else datetime.fromisoformat(until)
        return cls(**{**row, "agent_id": agent_id, "lease": lease, "lease_expires_at": until})

    @property
    def is_offered(self) -> bool:
        """Whether nobody has accepted it yet."""
        return self.lease == Lease.OFFERED

    @property
    def is_kept(self) -> bool:
        """Whether nothing runs there: the slot is kept for a plan's apply."""
        return self.lease == Lease.RESERVED

    @property
    def is_cancelled(self) -> bool:
        """Whether a person wants what runs there to stop."""
        return self.stage == Stage.CANCELLING


def column() -> ArraySubquery:
    """Return the leases on the slots of the agent that a query is about, as JSON, ordered by task."""
    leased = Task.objects.leased_by(OuterRef("pk")).order_by("id")
    return ArraySubquery(leased.values(row=JSONObject(task=F("id"), **{name: F(name) for name in _COLUMNS})))
