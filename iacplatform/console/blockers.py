"""Where to go to see what a task waits for."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from tasks.models import Task


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """A link to what stands in the way."""

    label: str
    address: str


def of(task: Task) -> Blocker | None:
    """Return the page of what the task waits for, or None where it has none of its own."""
    found: dict[str, Any] = (task.reason or {}).get("blocker") or {}
    named = str(found.get("id") or "")
    if not named:
        return None
    if found["kind"] == "task":
        return Blocker(label=f"Task {named}", address=reverse("console:task", args=[task.workspace_id, named]))
    if found["kind"] == "pool":
        return Blocker(label="The pool", address=reverse("console:pool", args=[named]))
    if found["kind"] == "pod" and task.workspace.pool_id:
        return Blocker(label="Its pool", address=reverse("console:pool", args=[task.workspace.pool_id]))
    return _of_workspace(task) if found["kind"] in _OF_WORKSPACE else None


_OF_WORKSPACE = {"workspace": "settings", "workspace_lock": "workspace", "state_lock": "states"}


def _of_workspace(task: Task) -> Blocker:
    kind = (task.reason or {})["blocker"]["kind"]
    labels = {"workspace": "The workspace's settings", "workspace_lock": "The workspace", "state_lock": "The state"}
    return Blocker(label=labels[kind], address=reverse(f"console:{_OF_WORKSPACE[kind]}", args=[task.workspace_id]))
