"""Making a task: its configuration and variable values are taken now and stay as they are."""

import json
from typing import Any

from django.db import transaction

from iacplatform.base import actors, encryption, rights
from tasks import history, moves, reasons, scheduler
from tasks.errors import NoConfiguration
from tasks.models import Task, TaskInput
from tasks.states import CHANGING, Event, Status, TaskType
from workspaces.models import Configuration, Variable, Workspace

CONFIRM = "tasks.confirm_task"


def create(
    workspace: Workspace,
    *,
    task_type: TaskType | str,
    by: Any,
    description: str = "",
    configuration: Configuration | None = None,
    retried_from: Task | None = None,
) -> Task:
    """Return a new task, pending or waiting. Raises `NoConfiguration` where nothing was uploaded yet.

    `retried_from`: the ended task that it does again.
    """
    with transaction.atomic():
        workspace = Workspace.objects.locked_for_change(workspace.pk)
        words = {"description": description, "created_by": by, "retried_from": retried_from}
        task = _insert(workspace, task_type, configuration or _newest(workspace), **words)
        _freeze_variables(task)
        history.add(task, Event.CREATED, "", actor=actors.user(by), why=description)
        moves.announce(task, Event.CREATED)
    return Task.objects.select_related("workspace").get(pk=task.pk)


def _insert(workspace: Workspace, task_type: str, configuration: Configuration, **words: Any) -> Task:
    changing = task_type in CHANGING
    reason = scheduler.obstacle(workspace, scheduler.last_in_queue(workspace)) if changing else None
    return Task.objects.create(
        workspace=workspace,
        configuration=configuration,
        task_type=task_type,
        auto_apply=_may_apply_by_itself(workspace, task_type, words["created_by"]),
        status=Status.PENDING if reason is None else Status.WAITING,
        **moves.waiting_columns(reason or reasons.dispatching()),
        **words,
    )


def _newest(workspace: Workspace) -> Configuration:
    newest = Configuration.objects.newest_of(workspace)
    if newest is None:
        raise NoConfiguration(
            f"Workspace {workspace.name} has no configuration yet. Upload one first: "
            f"POST /api/v1/workspaces/{workspace.pk}/configurations."
        )
    return newest


def _may_apply_by_itself(workspace: Workspace, task_type: str, by: Any) -> bool:
    """Only where the creator could confirm it anyway, and never for a destroy."""
    return workspace.auto_apply and task_type == TaskType.PLAN_AND_APPLY and rights.may(by, CONFIRM)


def _freeze_variables(task: Task) -> None:
    rows = Variable.objects.filter(workspace_id=task.workspace_id)
    values = [
        {"key": row.key, "value": row.value(), "category": row.category, "hcl": row.hcl, "sensitive": row.sensitive}
        for row in rows
    ]
    sealed = encryption.seal(json.dumps(values).encode(), TaskInput.owner(task.pk))
    TaskInput.objects.create(task=task, sealed_variables=sealed)
