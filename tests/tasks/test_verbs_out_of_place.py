"""A verb in a status that the table does not give it is a problem (409) in a sentence, and writes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from iacplatform.base.problems import Problem
from tasks import attempts, cancellation, confirmation, permits, remedies
from tasks.models import Task, TaskEvent
from tasks.permits import Answer
from tasks.states import Position
from tests.tasks import factories
from tests.tasks.cells import AT

pytestmark = pytest.mark.django_db

IN_PLACE: dict[str, set[Position]] = {
    "confirm": {
        Position.APPLY_PENDING,
        Position.CONFIRMED,
        Position.APPLYING,
        Position.NEEDS_ATTENTION,
        Position.ENDED,
    },
    "discard": {Position.APPLY_PENDING},
    "cancel": set(Position) - {Position.NEEDS_ATTENTION, Position.ENDED},
    "force_cancel": set(),
    "retry": {Position.PENDING, Position.CONFIRMED, Position.NEEDS_ATTENTION},
    "mark_failed": {Position.NEEDS_ATTENTION},
    "accept": {Position.PLANNING, Position.APPLYING},
    "finish": set(Position) - {Position.WAITING, Position.PENDING},
    "permit": {Position.APPLYING},
}
"""Where the verb does something, or where saying it again is nothing new. `applied` stands for what is final."""

VERBS: dict[str, Callable[[Task], Any]] = {
    "confirm": lambda task: confirmation.confirm(task, by=factories.person()),
    "discard": lambda task: confirmation.discard(task, by=factories.person()),
    "cancel": lambda task: cancellation.cancel(task, by=factories.person()),
    "force_cancel": lambda task: cancellation.force_cancel(task, by=factories.person()),
    "retry": lambda task: remedies.retry(task, by=factories.person()),
    "mark_failed": lambda task: remedies.mark_failed(task, by=factories.person(), reason="Over."),
    "accept": lambda task: attempts.accept(task.pk, task.epoch, task.agent_id),
    "finish": lambda task: factories.finish(task, "failed", exit_code=1),
}

OUT_OF_PLACE = [(verb, at) for verb in VERBS for at in AT if at not in IN_PLACE[verb]]


@pytest.mark.parametrize(("verb", "at"), OUT_OF_PLACE, ids=str)
def test_a_verb_out_of_place_is_refused_in_a_sentence(verb: str, at: Position) -> None:
    task = AT[at]()
    row, history = _row(task), TaskEvent.objects.count()

    with pytest.raises(Problem) as refused:
        VERBS[verb](factories.reread(task))

    assert refused.value.status == 409
    assert refused.value.detail.endswith(".") and str(task.pk) in refused.value.detail
    assert _row(task) == row
    assert TaskEvent.objects.count() == history


@pytest.mark.parametrize("at", [at for at in AT if at not in IN_PLACE["permit"]], ids=str)
def test_no_permit_is_given_out_of_place(at: Position) -> None:
    task = AT[at]()
    row = _row(task)
    try:
        assert permits.ask(task.pk, task.epoch, task.agent_id) is Answer.REFUSED
    except Problem as refused:
        assert refused.code == "stale_epoch"
    assert _row(task) == row


@pytest.mark.parametrize("verb", ["accept", "finish", "permit"])
def test_a_word_about_a_task_that_never_was_is_a_stale_epoch(verb: str) -> None:
    nobody = factories.planning()
    nobody.pk = nobody.pk + 1
    with pytest.raises(Problem) as refused:
        VERBS[verb](nobody) if verb in VERBS else permits.ask(nobody.pk, nobody.epoch, nobody.agent_id)
    assert refused.value.code == "stale_epoch"


def _row(task: Task) -> dict[str, Any]:
    return dict(Task.objects.filter(pk=task.pk).values().get())
