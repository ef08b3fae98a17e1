"""The fast path of queues: what this layer does about news, so that the next task goes on at once."""

from typing import Any

from tasks import moves, plans, scheduler
from tasks.models import Task
from tasks.signals import task_moved
from tasks.states import FINAL, Event, Status
from workspaces.signals import state_changed, workspace_changed


def connect() -> None:
    """Connect every receiver of this layer."""
    task_moved.connect(_after_move, dispatch_uid="tasks.scheduler")
    workspace_changed.connect(_after_change, dispatch_uid="tasks.scheduler")
    state_changed.connect(_after_state, dispatch_uid="tasks.plans")


_BACK_IN_QUEUE = frozenset({Event.INTERRUPTED, Event.STALE, Event.REPLAN})
"""After these a task is pending again; where its workspace was locked meanwhile, it has to wait."""


def _after_move(workspace_id: str, queues: bool, event: str, status: str, **news: Any) -> None:
    if queues and (status in FINAL or event in _BACK_IN_QUEUE):
        scheduler.advance(workspace_id)


def _after_change(workspace_id: str, **news: Any) -> None:
    scheduler.advance(workspace_id)


def _after_state(workspace_id: str, **news: Any) -> None:
    """Say on a plan that awaits confirmation that the state moved under it."""
    for task in Task.objects.filter(workspace_id=workspace_id, status=Status.APPLY_PENDING):
        if reason := plans.staleness(task):
            moves.explain_wait(task, reason)
