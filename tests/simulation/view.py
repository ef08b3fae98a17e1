"""What the database holds after a step, read in one journey by raw statements: it is looked at fifteen thousand times."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from weakref import WeakSet

from django.db import connection
from django.db.models import QuerySet

from tasks import states
from tasks.models import Task
from tasks.states import CHANGING


class TaskRow(NamedTuple):
    """A task. `turn` and `message` are of its reason; `breaks_promise` and `is_stuck` as the product's queries say."""

    pk: int
    workspace_id: str
    task_type: str
    status: str
    phase: str
    epoch: int
    lease: str
    agent_id: str
    slot: int | None
    lease_expires_at: datetime | None
    reason_code: str
    turn: str | None
    message: str | None
    is_explained: bool
    deadline: datetime | None
    plan_digest: str
    breaks_promise: bool
    is_stuck: bool

    @property
    def is_final(self) -> bool:
        return self.status in states.FINAL

    @property
    def is_changing(self) -> bool:
        """Whether its type may change things."""
        return self.task_type in CHANGING


class AttemptRow(NamedTuple):
    task_id: int
    epoch: int
    phase: str
    outcome: str
    has_ended: bool
    is_permitted: bool


class EventRow(NamedTuple):
    pk: int
    task_id: int
    event: str
    before: str
    after: str
    reason: str
    actor: str


class LockRow(NamedTuple):
    """A lock of a workspace's state."""

    workspace_id: str
    lock_id: str
    task_id: int | None
    epoch: int | None
    phase: str


class VersionRow(NamedTuple):
    """A version of a workspace's state."""

    pk: int
    workspace_id: str
    serial: int
    lineage: str
    digest: str


@dataclass(frozen=True)
class View:
    """All rows, tasks by age; `news`: the events since the view before."""

    tasks: list[TaskRow]
    attempts: list[AttemptRow]
    news: list[EventRow]
    held_by: dict[str, str]
    """Who locked a workspace, by the workspace; empty: nobody."""
    locks: dict[str, LockRow]
    versions: list[VersionRow]
    capacity: dict[str, int]
    names: dict[str, str]
    """Of agents."""
    now: datetime

    @classmethod
    def since(cls, event_id: int) -> "View":
        """Return what the database holds, with the events after this one."""
        tasks, attempts, news, workspaces, locks, versions, agents, clock = _read(event_id)
        return cls(
            tasks=[TaskRow(*row) for row in tasks],
            attempts=[AttemptRow(*row) for row in attempts],
            news=[EventRow(*row) for row in news],
            held_by=dict(workspaces),
            locks={row[0]: LockRow(*row) for row in locks},
            versions=[VersionRow(*row) for row in versions],
            capacity={agent_id: capacity for agent_id, capacity, _ in agents},
            names={agent_id: name for agent_id, _, name in agents},
            now=clock[0][0],
        )

    def with_status(self, *statuses: str) -> list[TaskRow]:
        """Return the tasks in one of these statuses."""
        return [task for task in self.tasks if task.status in statuses]


def _read(event_id: int) -> list[list[Any]]:
    with connection.cursor() as cursor:
        if connection.connection not in _PREPARED:
            # To plan the query of who is stuck takes ten milliseconds, to run it takes a third of one.
            cursor.execute("; ".join(f"PREPARE {name} AS {query}" for name, query in _queries().items()))
            _PREPARED.add(connection.connection)
        cursor.execute("; ".join(f"EXECUTE {name}" for name in _queries()).replace("(integer)", f"({event_id})"))
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
        return found


_PREPARED: WeakSet[Any] = WeakSet()
"""Connections that know the queries."""


@cache
def _queries() -> dict[str, str]:
    """Return the queries, in the order of a view's rows, by the names that they are prepared under."""
    return {
        "tasks_seen": _tasks(),
        "attempts_seen": "SELECT task_id, epoch, phase, outcome, ended_at IS NOT NULL, permitted_at IS NOT NULL"
        " FROM tasks_attempt ORDER BY id",
        "events_seen(integer)": "SELECT id, task_id, event, before, after, reason, actor"
        " FROM tasks_taskevent WHERE id > $1 ORDER BY id",
        "workspaces_seen": "SELECT workspace_id, locked_by FROM workspaces_workspace",
        "locks_seen": "SELECT workspace_id, lock_id, task_id, epoch, phase FROM workspaces_statelock",
        "versions_seen": "SELECT id, workspace_id, serial, lineage, digest FROM workspaces_stateversion ORDER BY id",
        "agents_seen": "SELECT agent_id, capacity, name FROM agents_agent",
        "clock_seen": "SELECT iac_now()",
    }


@cache
def _tasks() -> str:
    broken, stuck = _sql(Task.objects.breaking_the_promise()), _sql(Task.objects.stuck())
    return f"""
        SELECT id, workspace_id, task_type, status, phase, epoch, lease, agent_id, slot, lease_expires_at, reason_code,
               reason->>'turn', reason->>'message',
               reason IS NOT NULL AND reason_since IS NOT NULL AND next_check_at IS NOT NULL, deadline, plan_digest,
               id IN ({broken}), id IN ({stuck})
          FROM tasks_task ORDER BY id"""


def _sql(tasks: QuerySet[Task]) -> str:
    statement, values = tasks.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        text: str = cursor.mogrify(statement, values)
        return text
