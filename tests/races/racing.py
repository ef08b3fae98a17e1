"""Two processes at once, on real connections: started together, or in exactly the order that hurts."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.db.models import Exists

from tasks.models import Attempt, Task
from tasks.models.attempt import Attempts
from tasks.models.querysets import Tasks
from tests.races.patience import patient_session
from tests.waiting import ENOUGH_SECONDS
from workspaces.models import Workspace
from workspaces.models.workspace import Workspaces

Action = Callable[[], Any]


def race(*actions: Action) -> list[Any]:
    """Do all of it at once, each in a thread with a connection of its own; return answers, or what was raised."""
    gate = threading.Barrier(len(actions))
    racers = [_Racer(action, on_start=gate.wait) for action in actions]
    for racer in racers:
        racer.start()
    return [racer.result() for racer in racers]


def interleave(first: Action, second: Action, *, before: str) -> list[Any]:
    """Stop `first` just before its statement that contains `before`; do `second` until it ends or has to wait for a
    row of the first; then let the first go on. Return both answers, or what was raised."""
    reached, go_on = threading.Event(), threading.Event()

    def stop(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if before in sql and not reached.is_set():
            reached.set()
            go_on.wait(ENOUGH_SECONDS)
        return execute(sql, params, many, context)

    slow, quick = _Racer(first, wrapper=stop), _Racer(second)
    slow.start()
    assert reached.wait(ENOUGH_SECONDS), f"the first never came to {before!r}: {slow.result()}"
    quick.start()
    _wait_until(lambda: quick.is_done or quick.is_blocked)
    go_on.set()
    return [slow.result(), quick.result()]


@contextmanager
def waiting(action: Action) -> Iterator["_Racer"]:
    """Do the action in a thread of its own until it waits for a lock; afterwards it has to end."""
    racer = _Racer(action)
    racer.start()
    _wait_until(lambda: racer.is_done or racer.is_blocked)
    yield racer
    racer.result()


@contextmanager
def without_row_locks() -> Iterator[None]:
    """Show what happens where nobody locks the rows that they decide upon."""

    def task(rows: Tasks, task_id: int) -> Task:
        return rows.select_related("workspace").get(pk=task_id)

    def workspace(rows: Workspaces, workspace_id: str) -> Workspace:
        return rows.get(pk=workspace_id)

    def attempt(rows: Attempts, *conditions: Exists, **which: Any) -> Attempt | None:
        return rows.select_related("task__workspace").filter(*conditions, **which).first()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Attempts, "locked", attempt)
        patch.setattr(
            type(Attempt.objects), "locked", lambda manager, *how, **which: attempt(manager.all(), *how, **which)
        )
        patch.setattr(Tasks, "locked", task)
        patch.setattr(Workspaces, "locked_for_change", workspace)
        patch.setattr(type(Task.objects), "locked", lambda manager, task_id: task(manager.all(), task_id))
        patch.setattr(type(Workspace.objects), "locked_for_change", lambda manager, key: workspace(manager.all(), key))
        yield


def _nothing(execute: Any, *statement: Any) -> Any:
    return execute(*statement)


@dataclass
class _Racer:
    action: Action
    wrapper: Callable[..., Any] = _nothing
    on_start: Callable[[], Any] = int
    answer: Any = None
    backend: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def result(self) -> Any:
        assert self.done.wait(ENOUGH_SECONDS), "it never ended"
        return self.answer

    @property
    def is_done(self) -> bool:
        return self.done.is_set()

    @property
    def is_blocked(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self.backend])
            return bool(cursor.fetchone()[0])

    def _run(self) -> None:
        try:
            with patient_session() as self.backend:
                self.on_start()
                with connection.execute_wrapper(self.wrapper):
                    self.answer = self.action()
        except Exception as error:
            self.answer = error
        finally:
            connection.close()
            self.done.set()


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + ENOUGH_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the second neither ended nor waited"
        time.sleep(0.005)
