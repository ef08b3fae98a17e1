"""Making a task: its configuration and variable values are taken now and stay as they are."""

import json
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Func, Value

from iacplatform.base import actors, encryption, rights, writes
from tasks import history, moves, reasons, scheduler
from tasks.errors import NoConfiguration
from tasks.models import Task, TaskInput
from tasks.states import CHANGING, Event, Status, TaskType
from workspaces import inputs
from workspaces.inputs import Inputs
from workspaces.models import Configuration, Variable, Workspace

CONFIRM = "tasks.confirm_task"

_NEXT_ID = Func(Value("tasks_task_id_seq"), function="nextval", output_field=BigIntegerField())
"""Of the task: its variables are sealed for it before its row is there."""


def create(
    workspace: Workspace,
    *,
    task_type: TaskType | str,
    by: Any,
    description: str = "",
    configuration: Configuration | None = None,
    retried_from: Task | None = None,
) -> Task:
    """Return a new task, pending or waiting; a slot may hold it by now, which the returned row does not show.

    `retried_from`: the ended task that it does again. Raises `NoConfiguration` where nothing was uploaded yet.
    """
    with transaction.atomic():
        taken = inputs.locked(workspace.pk, task_id=_NEXT_ID)
        words = {"description": description, "created_by": by, "retried_from": retried_from}
        task = _new(taken, task_type, configuration.pk if configuration else _newest(taken), **words)
        frozen = writes.insert(_frozen(task, taken.variables))
        history.begin(task, Event.CREATED, actor=actors.user(by), why=description, along=[frozen])
        moves.announce(task, Event.CREATED, pool_id=taken.pool_id)
    return task


def _new(taken: Inputs, task_type: str, configuration_id: int, **words: Any) -> Task:
    workspace: Any = taken.workspace
    changing = task_type in CHANGING
    reason = scheduler.obstacle(workspace, scheduler.last_in_queue(workspace)) if changing else None
    return Task(
        pk=workspace.task_id,
        workspace=workspace,
        configuration_id=configuration_id,
        task_type=task_type,
        auto_apply=_may_apply_by_itself(workspace, task_type, words["created_by"]),
        status=Status.PENDING if reason is None else Status.WAITING,
        **moves.waiting_columns(reason or reasons.dispatching()),
        **words,
    )


def _newest(taken: Inputs) -> int:
    if taken.configuration_id is None:
        workspace = taken.workspace
        raise NoConfiguration(
            f"Workspace {workspace.name} has no configuration yet. Upload one first: "
            f"POST /api/v1/workspaces/{workspace.pk}/configurations."
        )
    return taken.configuration_id


def _may_apply_by_itself(workspace: Workspace, task_type: str, by: Any) -> bool:
    """Only where the creator could confirm it anyway, and never for a destroy."""
    return workspace.auto_apply and task_type == TaskType.PLAN_AND_APPLY and rights.may(by, CONFIRM)


def _frozen(task: Task, variables: Iterable[Variable]) -> TaskInput:
    values = [
        {"key": row.key, "value": row.value(), "category": row.category, "hcl": row.hcl, "sensitive": row.sensitive}
        for row in variables
    ]
    sealed = encryption.seal(json.dumps(values).encode(), TaskInput.owner(task.pk))
    return TaskInput(task=task, sealed_variables=sealed)
