"""One of the two databases of `benchmarks.history`: some live tasks, and as many finished ones as it is told.

A process of its own, which does a deed for each line that it reads, and prints how many seconds and queries it took.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iacplatform.settings")
django.setup()

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents import dispatcher, sweep
from agents.fleet import demand
from iacplatform.base import clock
from pools.models import Pool
from tasks import creation
from tasks.models import Attempt, Task, TaskEvent
from tasks.states import TaskType
from workspaces.models import Configuration, Workspace

LIVE = 20


def filled(finished: int) -> Task:
    """Make the live tasks, and behind each of them a history; return one that waits."""
    person = User.objects.create_superuser("ann")
    tasks = [creation.create(_workspace(number), task_type=TaskType.PLAN, by=person) for number in range(LIVE)]
    _multiply(_finished(tasks[0]), finished)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return tasks[-1]


def deeds(task: Task) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    client, pool = Client(HTTP_HOST="127.0.0.1"), Pool.objects.local()
    client.force_login(User.objects.get())
    return {
        "claim": lambda: dispatcher.dispatch(pool.pk, cause="benchmark"),
        "sweep": sweep.sweep,
        "demand": lambda: demand.of([pool], clock.now()),
        "task list": partial(_get, client, "/api/v1/tasks"),
        "task list, page": partial(_get, client, "/tasks/"),
        "task": partial(_get, client, f"/api/v1/tasks/{task.pk}"),
        "task, page": partial(_get, client, f"/workspaces/{task.workspace_id}/tasks/{task.pk}"),
    }


def serve(known: dict[str, Callable[[], object]]) -> None:
    """Do what is asked for, line by line."""
    for line in sys.stdin:
        began = time.perf_counter()
        with CaptureQueriesContext(connection) as asked:
            known[line.strip()]()
        print(time.perf_counter() - began, len(asked), flush=True)


def _get(client: Client, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != HTTPStatus.OK:
        raise SystemExit(f"{address} answered {answer.status_code}.")


def _workspace(number: int) -> Workspace:
    made = Workspace.objects.create(name=f"workspace-{number}")
    files = {"main.tf": 'resource "terraform_data" "one" {}\n'}
    Configuration.objects.create(workspace=made, number=1, files=files, digest="0" * 64)
    return made


def _finished(like: Task) -> Task:
    names = {"workspace_id": like.workspace_id, "configuration_id": like.configuration_id, "task_type": "plan"}
    task = Task.objects.create(**names, status="success", completed_at=clock.now())
    TaskEvent.objects.create(task=task, event="created", after="pending", actor="user:ann")
    place = {"agent_id": "agent-gone", "agent_name": "gone", "slot": 0, "number": 1}
    Attempt.objects.create(task=task, epoch=1, phase="plan", outcome="planned", ended_at=clock.now(), **place)
    return task


def _multiply(task: Task, count: int) -> None:
    """Copy the task, with what belongs to it, over all workspaces."""
    workspaces = list(Workspace.objects.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        columns = _columns(Task, "workspace_id")
        cursor.execute(
            f"INSERT INTO tasks_task (workspace_id, {columns}) SELECT (%s::text[])[1 + n %% {LIVE}], {columns} "
            "FROM tasks_task, generate_series(2, %s) n WHERE id = %s",
            [workspaces, count, task.pk],
        )
        for model in (TaskEvent, Attempt):
            table, columns = model._meta.db_table, _columns(model, "task_id")
            cursor.execute(
                f"INSERT INTO {table} (task_id, {columns}) SELECT copy.id, {columns} "
                f"FROM (SELECT {columns} FROM {table} WHERE task_id = %s) own, "
                "(SELECT id FROM tasks_task WHERE id > %s) copy",
                [task.pk, task.pk],
            )


def _columns(model: type[Model], but: str) -> str:
    names = (str(each.column) for each in model._meta.concrete_fields)
    return ", ".join(name for name in names if name not in {"id", but})


if __name__ == "__main__":
    serve(deeds(filled(int(sys.argv[1]))))
