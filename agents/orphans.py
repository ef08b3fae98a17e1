"""State locks whose holder is gone. A lock of an apply never ends by itself: a person lets go of it, of these only."""

from typing import Any

from django.db import transaction

from agents import lock_holders
from agents.errors import HolderLives, NotInTheWay, StateNotLocked
from agents.lock_holders import Holder, Life
from iacplatform.base import actors, clock
from tasks import actions, history, remedies
from tasks.actions import Action
from tasks.models import Attempt, Task, TaskEvent
from tasks.states import Event
from workspaces import states
from workspaces.models import StateLock


def offer() -> None:
    """Offer the release to people, where it is legal."""
    actions.add(Action(name="release-lock", permission=actions.RECOVER, is_open=stands_in_the_way))


def stands_in_the_way(task: Task) -> bool:
    """Return whether an orphaned state lock holds the task up, now or later, or is what its own apply has left behind.

    Costs a query only where there is a lock, if the task was read with its workspace's.
    """
    held = getattr(task.workspace, "state_lock", None)
    if held is None or not _concerns(held, task):
        return False
    return lock_holders.judged().filter(pk=held.pk, life=Life.ORPHANED).exists()


def release(task: Task, *, by: Any, reason: str) -> bool:
    """Let go of the state lock that stands in the task's way; False where that was done before.

    The attempt that held it writes no state from then on. Raises `StateNotLocked` where there is nothing to release,
    `HolderLives` where its holder may still be at work, `NotInTheWay` where the task has ended and left no lock behind,
    `NoReason` where `reason` is empty.
    """
    with transaction.atomic():
        held = _locked(task.workspace_id)
        if held is None:
            return _was_released(task)
        _demand_concern(held, task)
        holder = lock_holders.of(held)
        if _may_live(holder):
            raise HolderLives(holder.text)
        remedies.demand_reason(reason)
        _let_go(held)
        why = f"{holder.text} A person let go of that lock. {reason}".strip()
        history.add(task, Event.LOCK_RELEASED, task.status, actor=actors.user(by), why=why)
    return True


def sign_of_life(held: StateLock) -> str:
    """Return why the lock's holder may still be at work and what to do, or an empty text when it is gone."""
    holder = lock_holders.of(held)
    return holder.text if _may_live(holder) else ""


def _may_live(holder: Holder) -> bool:
    return holder.life not in {Life.ORPHANED, Life.NONE}


def _locked(workspace_id: str) -> StateLock | None:
    """Return the state's lock with its row locked; first the task of its holder, as a write of the state does."""
    seen = StateLock.objects.filter(workspace_id=workspace_id).first()
    if seen is None:
        return None
    list(Task.objects.select_for_update(of=("self",), no_key=True).filter(pk=seen.task_id or 0))
    return StateLock.objects.select_for_update().filter(pk=seen.pk, lock_id=seen.lock_id, task_id=seen.task_id).first()


def _concerns(held: StateLock, task: Task) -> bool:
    return not task.is_final or held.task_id == task.pk


def _demand_concern(held: StateLock, task: Task) -> None:
    if not _concerns(held, task):
        raise NotInTheWay(
            f"Task {task.pk} has ended, and the state lock of {held.holder} is none of its own: release it through a "
            "task that waits for it."
        )


def _was_released(task: Task) -> bool:
    """Return False where this task's lock was released before; raise `StateNotLocked` where there never was one."""
    if TaskEvent.objects.filter(task=task, event=Event.LOCK_RELEASED).exists():
        return False
    raise StateNotLocked(f"The state of workspace {task.workspace.name} is not locked: there is nothing to do.")


def _let_go(held: StateLock) -> None:
    of_it = Attempt.objects.filter(task_id=held.task_id or 0, epoch=held.epoch or 0)
    of_it.update(state_released_at=clock.DatabaseNow())
    states.release(held)
