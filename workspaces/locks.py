"""Who holds a workspace: a person, or a task that needs attention. While held, nothing that changes things starts."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from iacplatform.base import actors, clock
from workspaces import signals
from workspaces.errors import AlreadyLocked, LockedByTask, NotLocked
from workspaces.models import Workspace

FREE: dict[str, Any] = {"locked_by": "", "lock_reason": "", "locked_at": None}

Claim = Callable[[str], int | None]

_claims: list[Claim] = []


def add_claim(claim: Claim) -> None:
    """Let the layer above say which task of a workspace (by its id) has waited for a person's lock to go."""
    _claims.append(claim)


def lock(workspace: Workspace, *, by: Any, reason: str) -> None:
    """Let nothing that changes things start until somebody unlocks. Locking one's own lock again is nothing new."""
    _take(workspace, actors.user(by), reason)


def unlock(workspace: Workspace) -> None:
    """Let the workspace's tasks go on, or a lost one hold it. Raises `NotLocked`; `LockedByTask` while one does."""
    with transaction.atomic():
        held = Workspace.objects.locked_for_change(workspace.pk)
        if not held.is_locked:
            raise NotLocked(f"Workspace {held.name} is not locked.")
        if held.locked_by.startswith("task:"):
            raise LockedByTask(
                f"Workspace {held.name} is locked by {held.locked_by}, which needs attention: "
                "mark it as failed or retry it."
            )
        lost = next((task_id for claim in _claims if (task_id := claim(held.pk)) is not None), None)
        _write(held, FREE if lost is None else _held_for(lost))
    workspace.refresh_from_db()


def hold_for_task(workspace_id: str, task_id: int) -> None:
    """Lock the workspace for a task that needs attention, unless a person holds it: then it is next."""
    held = Workspace.objects.locked_for_change(workspace_id)
    if not held.is_locked:
        _write(held, _held_for(task_id))


def release_for_task(workspace_id: str, task_id: int) -> None:
    """Let go of what `hold_for_task` took; a person's lock stays."""
    held = Workspace.objects.locked_for_change(workspace_id)
    if held.locked_by == actors.task(task_id):
        _write(held, FREE)


def _held_for(task_id: int) -> dict[str, Any]:
    reason = f"Task {task_id} needs attention."
    return {"locked_by": actors.task(task_id), "lock_reason": reason, "locked_at": clock.DatabaseNow()}


def _take(workspace: Workspace, holder: str, reason: str) -> None:
    with transaction.atomic():
        held = Workspace.objects.locked_for_change(workspace.pk)
        if held.is_locked and held.locked_by != holder:
            raise AlreadyLocked(f"Workspace {held.name} is locked by {held.locked_by}: {held.lock_reason}")
        _write(held, {"locked_by": holder, "lock_reason": reason, "locked_at": clock.DatabaseNow()})
    workspace.refresh_from_db()


def _write(workspace: Workspace, columns: dict[str, Any]) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(**columns)
    signals.announce(signals.workspace_changed, workspace.pk)
