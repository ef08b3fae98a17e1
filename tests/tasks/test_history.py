"""A move and its event are written together or not at all; a verb that fails half-way leaves nothing behind."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError

from iacplatform.base import clock
from tasks import history, moves, remedies, scheduler
from tasks.models import Attempt, Task, TaskEvent
from tasks.states import Event
from tests.tasks import factories
from tests.tasks.cells import CELLS, Cell
from workspaces import locks
from workspaces.models import StateLock, Workspace


class Crash(Exception):
    """The process is gone."""


def crash(*args: Any, **kwargs: Any) -> None:
    raise Crash


def of_nobody(**columns: Any) -> TaskEvent:
    """Return an event of no task."""
    return TaskEvent(**{**columns, "task_id": None})


BREAKS = {"the event fails": (history, "TaskEvent", of_nobody), "no news is kept": (moves, "announce", crash)}


@pytest.fixture(params=list(BREAKS.values()), ids=list(BREAKS))
def broken_move(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes every move from then on break in the middle."""
    return lambda: monkeypatch.setattr(*request.param)


def everything() -> list[Any]:
    tables = (Task, Attempt, TaskEvent, StateLock)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def test_whether_a_list_of_all_rows_shows_a_change(db: None) -> None:
    task = factories.pending()
    before = everything()
    factories.offered(task)
    assert everything() != before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "cell",
    [cell for cell in CELLS if cell[1] != Event.WORKSPACE_LOCKED],
    ids=lambda cell: f"{cell[0]}, {cell[1]}: {cell[2]}",
)
def test_a_crash_in_the_middle_of_a_move_leaves_neither_move_nor_event(
    cell: Cell, broken_move: Callable[[], None]
) -> None:
    make, act = CELLS[cell]
    task = make()
    before = everything()
    broken_move()

    with pytest.raises((Crash, IntegrityError)):
        act(task)

    assert everything() == before


@pytest.mark.django_db
def test_a_crash_while_a_lock_is_heeded_leaves_the_task_as_it_was(broken_move: Callable[[], None]) -> None:
    task = factories.offered()
    Workspace.objects.update(locked_by="user:ann", locked_at=clock.now())
    before = everything()
    broken_move()
    with pytest.raises((Crash, IntegrityError)):
        scheduler.advance(task.workspace_id)
    assert everything() == before


def test_marking_it_failed_is_one_deed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    task = factories.needing_attention()
    before = everything(), list(Workspace.objects.values())
    monkeypatch.setattr(locks, "release_for_task", crash)
    with pytest.raises(Crash):
        remedies.mark_failed(task, by=factories.person(), reason="Over.")
    assert (everything(), list(Workspace.objects.values())) == before
