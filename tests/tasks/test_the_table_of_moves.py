"""Every cell of the table happens through the verbs that everyone calls; what has no cell is refused and writes nothing."""

from itertools import product
from typing import Any

import pytest

from tasks import moves, reasons, states
from tasks.errors import IllegalMove
from tasks.models import Task, TaskEvent
from tasks.states import MOVES, Event, Position, Status
from tests.tasks.cells import AT, CELLS, Cell

pytestmark = pytest.mark.django_db


def test_every_cell_of_the_table_is_tried_below() -> None:
    assert set(CELLS) == {(at, event, to) for (at, event), goals in MOVES.items() for to in goals}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0]}, {cell[1]}: {cell[2]}")
def test_what_the_table_allows_happens_with_exactly_one_event(cell: Cell) -> None:
    make, act = CELLS[cell]
    at, event, to = cell
    task = make()
    before, epoch, known = task.status, task.epoch, set(task.events.values_list("id", flat=True))
    assert task.position == at

    act(task)

    row = Task.objects.get(pk=task.pk)
    added = [(news.event, news.before, news.after, news.epoch) for news in task.events.exclude(id__in=known)]
    assert added == [(event, before, to, row.epoch)]
    assert row.status == to
    assert row.epoch >= epoch


@pytest.mark.parametrize("at", AT, ids=str)
def test_what_has_no_cell_is_refused_and_writes_nothing(at: Position) -> None:
    task = AT[at]()
    row, history = _row(task), TaskEvent.objects.count()
    for event, to in product(Event, Status):
        if to in states.allowed(at, event):
            continue
        with pytest.raises(IllegalMove) as refused:
            moves.move(task, event, to, actor="user:ann", reason=reasons.dispatching())
        assert refused.value.detail == f"Task {task.pk} is {at.label}: {event.label.lower()} is not possible there."
    assert _row(task) == row
    assert TaskEvent.objects.count() == history


def _row(task: Task) -> dict[str, Any]:
    return dict(Task.objects.filter(pk=task.pk).values().get())
