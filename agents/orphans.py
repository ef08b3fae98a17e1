"""State locks whose holder is gone. A lock of an apply never ends by itself: a person lets go of it, of these only."""

from typing import Any

from django.db import transaction

from agents.errors import HolderLives, StateNotLocked
from agents.models import Agent
from iacplatform.base import actors
from tasks import moves
from tasks.models import Attempt, Task
from tasks.states import Event, Status
from workspaces import states
from workspaces.models import StateLock


def release(task: Task, *, by: Any, reason: str) -> None:
    """Let go of the state lock that stands in the task's way.

    Raises `StateNotLocked` where there is none, `HolderLives` where its holder may still be at work.
    """
    with transaction.atomic():
        held = StateLock.objects.select_for_update().filter(workspace_id=task.workspace_id).first()
        if held is None:
            raise StateNotLocked(f"The state of workspace {task.workspace.name} is not locked: there is nothing to do.")
        if life := sign_of_life(held):
            raise HolderLives(life)
        states.release_locks_of(task_id=held.task_id or 0, epoch=held.epoch or 0)
        why = f"The state lock of {held.holder}, whose run is over, was released. {reason}".strip()
        moves.record(task, Event.LOCK_RELEASED, task.status, actor=actors.user(by), why=why)


def sign_of_life(held: StateLock) -> str:
    """Return why the lock's holder may still be at work and what to do, or an empty text when it is gone."""
    if held.task_id is None:
        return (
            f"The state is locked by {held.holder}, outside of the platform: wait for that run. If it is dead, its "
            f"owner lets go with: terraform force-unlock {held.lock_id}"
        )
    holder = Task.objects.filter(pk=held.task_id).first()
    if holder is None or holder.is_final or _has_ended(held) or _is_lost(holder):
        return ""
    return (
        f"The state is locked by task {holder.pk}, which is {holder.position.label} and whose agent may still be at "
        "work: wait for its end, or cancel it."
    )


def _has_ended(held: StateLock) -> bool:
    attempt = Attempt.objects.filter(task_id=held.task_id or 0, epoch=held.epoch or 0).first()
    return attempt is None or attempt.ended_at is not None


def _is_lost(holder: Task) -> bool:
    """Whether nobody knows how its apply ended, and its agent was not heard of for a whole lease."""
    if holder.status != Status.NEEDS_ATTENTION:
        return False
    return not Agent.objects.filter(pk=holder.agent_id).exclude(pk__in=Agent.objects.expired()).exists()
