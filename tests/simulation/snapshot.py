"""A world that is made once and brought back for each schedule: rows by one text of SQL, objects as a deep copy."""

import copy
from functools import cached_property
from typing import Generic, TypeVar

from django.db import connection

World = TypeVar("World")

FOLDER = "simulated"
_NEVER = {"django_migrations", "django_content_type", "auth_permission", "base_clock"}
"""Written by migrations only."""

_LASTING = {"pools_pool", "pools_k8sconfig"}
"""What the database refuses to delete: whoever changes it brings it back himself."""


class Snapshot(Generic[World]):
    """The rows as they were when it was made, and a world that knows them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables = sorted(set(connection.introspection.django_table_names(include_views=False)) - _NEVER)
        _do(f"DROP SCHEMA IF EXISTS {FOLDER} CASCADE; CREATE SCHEMA {FOLDER}")
        self._full = [table for table in self._tables if self._keep(table)]

    def restore(self) -> World:
        """Bring the rows back, and return a copy of the world."""
        _do(self._deletions)
        _do(self._insertions)
        return copy.deepcopy(self._world)

    @staticmethod
    def _keep(table: str) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE TABLE {FOLDER}."{table}" AS TABLE public."{table}"')
            return int(cursor.rowcount) > 0

    @cached_property
    def _deletions(self) -> str:
        # Foreign keys are checked at the end of the text, which is one transaction: any order will do.
        return "; ".join(f'DELETE FROM "{table}"' for table in self._tables if table not in _LASTING)

    @cached_property
    def _insertions(self) -> str:
        back = [f'INSERT INTO public."{table}" TABLE {FOLDER}."{table}" ON CONFLICT DO NOTHING' for table in self._full]
        return "; ".join([*back, *self._counters])

    @property
    def _counters(self) -> list[str]:
        # Numbers of tasks are seen in sentences; a replay must name the same.
        with connection.cursor() as cursor:
            cursor.execute("SELECT last_value FROM tasks_task_id_seq")
            return [f"SELECT setval('tasks_task_id_seq', {cursor.fetchone()[0]})"]


def _do(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
