"""Deleting a workspace with all that it leaves behind, and asking whether one is idle."""

from django.db import transaction

from iacplatform.base.problems import InUse
from tasks.models import Task
from tasks.states import Lease, Status
from workspaces.models import StateLock, StateVersion, Workspace


def remove(workspace: Workspace, *, force: bool = False) -> None:
    """Delete the workspace, its finished tasks, versions and states, or raise `InUse`.

    `force`: also when its state still holds resources; they stay where they are, and nobody manages them any more.
    """
    with transaction.atomic():
        held = Workspace.objects.locked_for_removal(workspace.pk)
        if fault := _tasks_fault(held) or _state_fault(held, force):
            raise InUse(fault)
        Task.objects.filter(workspace=held).delete()
        held.delete()


def demand_idle(workspace_id: str) -> None:
    """Raise `InUse` while a task of the workspace runs: it works on the state."""
    running = Task.objects.filter(workspace_id=workspace_id, status=Status.RUNNING).first()
    if running is not None:
        raise InUse(f"Task {running.pk} runs for this workspace: wait for its end, or cancel it, and try again.")


def _tasks_fault(workspace: Workspace) -> str:
    live = Task.objects.filter(workspace=workspace).live().first()
    if live is not None:
        return f"Task {live.pk} of workspace {workspace.name} is {live.status}: cancel or finish it first."
    leased = Task.objects.filter(workspace=workspace).exclude(lease=Lease.NONE).first()
    return f"Task {leased.pk} still holds a slot: try again in a moment." if leased else ""


def _state_fault(workspace: Workspace, force: bool) -> str:
    if lock := StateLock.objects.filter(workspace=workspace).first():
        return f"The state of workspace {workspace.name} is locked by {lock.holder}: wait, or release the lock."
    newest = StateVersion.objects.defer("sealed_content").newest_of(workspace.pk)
    if force or newest is None or not newest.resources:
        return ""
    return (
        f"The state of workspace {workspace.name} still holds {newest.resources} resources. Destroy them first with a "
        "destroy task, or delete with ?force=true: then they stay where they are and nobody manages them."
    )
