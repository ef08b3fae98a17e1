"""What a task's history is written by: an event for every move, in the very statement that makes the move."""

from typing import Any

from django.db import connection
from django.db.models.sql import UpdateQuery

from tasks.models import Task, TaskEvent
from tasks.models.querysets import Tasks

_MOVED = """
    WITH moved AS ({update} RETURNING id, attempt, epoch)
    INSERT INTO "tasks_taskevent" (task_id, attempt, epoch, event, before, after, reason, actor)
    SELECT moved.*, %s, %s, %s, %s, %s FROM moved
"""


def move(seen: Tasks, columns: dict[str, Any], event: str, before: str, *, actor: str, why: str) -> bool:
    """Write the columns and the event together; return whether the one row of `seen` was still there to be moved."""
    update, params = _update(seen, columns)
    with connection.cursor() as cursor:
        cursor.execute(_MOVED.format(update=update), [*params, event, before, columns["status"], why, actor])
        return bool(cursor.rowcount)


def add(task: Task, event: str, before: str, *, actor: str, why: str) -> TaskEvent:
    """Write an event of a task as it is now."""
    return TaskEvent.objects.create(
        task=task,
        event=event,
        before=before,
        after=task.status,
        reason=why,
        actor=actor,
        attempt=task.attempt,
        epoch=task.epoch,
    )


def _update(seen: Tasks, columns: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    query: Any = seen.query.chain(UpdateQuery)
    query.add_update_values(columns)
    sql, params = query.get_compiler(connection=connection).as_sql()
    return sql, params
