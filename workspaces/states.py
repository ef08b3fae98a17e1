"""Terraform's state of a workspace: stored, read, locked and let go."""

from workspaces import signals
from workspaces.models import StateLock


def release_locks_of(*, task_id: int, epoch: int, phase: str | None = None) -> bool:
    """Let go of the state lock that this attempt holds; return whether it held one."""
    held = StateLock.objects.filter(task_id=task_id, epoch=epoch)
    lock = (held.filter(phase=phase) if phase else held).first()
    if lock is None:
        return False
    lock.delete()
    signals.announce(signals.state_changed, lock.workspace_id)
    return True
