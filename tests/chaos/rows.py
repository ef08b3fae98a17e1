"""What the platform's database holds, read past the platform itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from iacplatform.postgres import address
from tasks.models import Attempt, Task, TaskEvent
from workspaces.models import Workspace

Row = dict[str, Any]

LIVE_AND_BROKEN: LiteralString = """
    SELECT id, status, reason_code FROM tasks_task
    WHERE status NOT IN ('success', 'applied', 'discarded', 'failed', 'cancelled') AND (
        status <> 'running' AND (reason IS NULL OR reason_code = '' OR reason_since IS NULL OR next_check_at IS NULL)
        OR status = 'running' AND (agent_id = '' OR slot IS NULL OR next_check_at IS NULL)
        OR status IN ('running', 'pending', 'confirmed') AND deadline IS NULL)
"""
"""The watchdog's query, in words of its own: the platform's cannot hide a fault of itself."""


_ORPHANED: LiteralString = """
    SELECT workspace_id FROM workspaces_statelock JOIN tasks_attempt USING (task_id, epoch)
    WHERE ended_at IS NOT NULL
"""


@dataclass(frozen=True, kw_only=True)
class View:
    """Tasks, attempts and events by age. `orphaned`: workspaces whose state lock is of an attempt that has ended."""

    tasks: list[Task]
    attempts: list[Attempt]
    events: list[TaskEvent]
    workspaces: dict[str, Workspace]
    orphaned: set[str]


@dataclass(frozen=True)
class Rows:
    """A connection of the test's own."""

    home: Path

    def all(self, query: LiteralString, *values: Any) -> list[Row]:
        """Return the rows of a query."""
        with psycopg.connect(address(self.home), autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def view(self) -> View:
        """Return what there is."""
        workspaces = self.all("SELECT * FROM workspaces_workspace")
        return View(
            tasks=[Task(**row) for row in self.all("SELECT * FROM tasks_task ORDER BY id")],
            attempts=[Attempt(**row) for row in self.all("SELECT * FROM tasks_attempt ORDER BY id")],
            events=[TaskEvent(**row) for row in self.all("SELECT * FROM tasks_taskevent ORDER BY id")],
            workspaces={row["workspace_id"]: Workspace(**row) for row in workspaces},
            orphaned={row["workspace_id"] for row in self.all(_ORPHANED)},
        )

    def log(self, attempt: int) -> tuple[bytes, list[tuple[int, int]]]:
        """Return an attempt's log, and offset and length of each of its pieces."""
        query: LiteralString = 'SELECT "offset", data FROM tasks_logchunk WHERE attempt_id = %s ORDER BY "offset"'
        pieces = [(row["offset"], bytes(row["data"])) for row in self.all(query, attempt)]
        return b"".join(data for _, data in pieces), [(offset, len(data)) for offset, data in pieces]

    def states(self) -> dict[str, list[Row]]:
        """Return the state versions of each workspace, the oldest first."""
        query: LiteralString = "SELECT workspace_id, serial, lineage FROM workspaces_stateversion ORDER BY serial"
        found: dict[str, list[Row]] = {}
        for row in self.all(query):
            found.setdefault(row["workspace_id"], []).append(row)
        return found
