"""What an operator should know of every task that is not final: why it stands, whose turn it is, what will move it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from agents.models import Agent
from tasks.models import Task
from tasks.reasons import Turn


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One task. `stuck`: it cannot move by itself, should have moved by now, or does not say why it stands.

    `warnings`: sentences about what may make it so.
    """

    id: int
    workspace: str
    status: str
    reason: str
    turn: str
    message: str
    moves: str
    since: datetime | None
    next_check_at: datetime | None
    deadline: datetime | None
    stuck: bool
    warnings: tuple[str, ...] = ()

    def line(self) -> str:
        """Return the finding on one line."""
        mark = "STUCK " if self.stuck else ""
        since = f" since {_clock(self.since)}" if self.since else ""
        what = f"{self.reason or '-'}, {self.turn}'s turn{since}"
        told = [f"{mark}task {self.id} ({self.workspace}): {self.status}, {what}: {self.message} {self.moves}"]
        return " ".join([*told, *(f"Warning: {warning}" for warning in self.warnings)])


def findings() -> Iterator[Finding]:
    """Return a finding for each task that is not final, the oldest first."""
    unexplained = set(Task.objects.breaking_the_promise().values_list("pk", flat=True))
    named = Subquery(Agent.objects.filter(pk=OuterRef("agent_id")).values("name")[:1])
    for task in Task.objects.live().with_outlook().annotate(agent_name=named).order_by("pk").iterator():
        yield _finding(task, is_stuck=task.is_stuck or task.pk in unexplained)


def _finding(task: Task, *, is_stuck: bool) -> Finding:
    reason = task.wait_reason or _running(task)
    return Finding(
        id=task.pk,
        workspace=task.workspace.name,
        status=task.status,
        reason=reason["code"],
        turn=reason["turn"],
        message=reason["message"],
        moves=reason["remedy"],
        since=reason["since"],
        next_check_at=reason["next_check_at"],
        deadline=task.deadline,
        stuck=is_stuck,
        warnings=tuple(warning["message"] for warning in task.warnings),
    )


def _running(task: Any) -> dict[str, Any]:
    """Return for a task that runs, or is broken, what a reason says of one that waits."""
    what = f"{task.phase.capitalize() or 'Nothing'} on agent {task.agent_name or task.agent_id or '-'}"
    return {
        "code": "",
        "turn": Turn.MACHINE,
        "message": f"{what}, stage {task.stage or '-'}.",
        "remedy": f"The agent's report moves it, or the sweep{_until(task)}.",
        "next_check_at": task.next_check_at,
        "since": task.begun_at or task.started_at,
    }


def _until(task: Task) -> str:
    """Return when the sweep moves it: at the end of the agent's lease, which heartbeats prolong, or of the time-out."""
    lease = [f" when no heartbeat comes until {_clock(task.agent_lease_until)}"] if task.agent_lease_until else []
    deadline = [f" when it lasts until {_clock(task.deadline)}"] if task.deadline else []
    return ", or".join([*lease, *deadline])


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
