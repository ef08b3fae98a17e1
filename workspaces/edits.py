"""Changing a workspace's settings: only the columns that are meant, so that a lock taken meanwhile stays."""

from collections.abc import Iterable

from django.db import transaction

from workspaces import signals
from workspaces.models import Workspace

PLACE = frozenset({"execution_mode", "pool"})
"""Where the tasks run; whoever dispatches has to hear of a change."""


def save(workspace: Workspace, columns: Iterable[str]) -> None:
    """Save a new workspace whole, of a known one these columns; tell of a changed place after the commit."""
    if workspace._state.adding:
        workspace.save()
        return
    chosen = list(columns)
    with transaction.atomic():
        Workspace.objects.locked_for_change(workspace.pk)
        workspace.save(update_fields=chosen)
        if PLACE & set(chosen):
            signals.announce(signals.workspace_changed, workspace.pk)
