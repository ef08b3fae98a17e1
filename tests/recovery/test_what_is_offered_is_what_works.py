"""Each verb is offered exactly where it is legal: tried in every situation, by a person who may do everything."""

from copy import copy
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from agents.verbs import VERBS
from iacplatform.base.problems import Problem
from tasks import actions
from tasks.models import Task
from tasks.states import Position
from tasks.verbs import Effect
from tests.recovery.cells import LOCKS, TASKS, settled
from tests.tasks import factories

pytestmark = pytest.mark.django_db

BY_HAND = sorted(VERBS.keys() - {"unlock"})


def press(task: Task, verb: str) -> Effect | Problem:
    """Press the button and return what came of it; nothing of it stays."""
    words: dict[str, Any] = {"plan_digest": task.plan_digest, "reason": "Looked at it."}
    try:
        with transaction.atomic():
            effect = VERBS[verb](task, factories.person(), words).effect
            transaction.set_rollback(True)
            return effect
    except Problem as refused:
        return refused


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("made", TASKS)
def test_what_is_offered_works_and_all_else_is_refused_or_nothing_new(made: str, lock: str) -> None:
    task = TASKS[made]()
    LOCKS[lock](task)
    seen = settled(task)
    offered = set(actions.open_to(seen, factories.person()))
    assert seen.is_final or offered - {"unlock"}, "nobody is left without a button"
    for verb in BY_HAND:
        came = press(copy(seen), verb)
        if verb in offered:
            assert isinstance(came, Effect), (verb, str(came))
        else:
            assert came == Effect.NOTHING_NEW or isinstance(came, Problem), (verb, came)
            assert not isinstance(came, Problem) or (came.status, bool(came.detail)) == (409, True)


def test_nobody_is_told_to_retry_what_only_the_end_of_a_freeze_window_moves() -> None:
    task = settled(TASKS["frozen"]())
    assert task.reason_code == "pool_frozen"
    assert actions.open_to(task, factories.person()) == ["cancel"]
    assert "nothing new starts there" in VERBS["retry"](task, factories.person(), {}).sentence


def test_what_failed_on_a_frozen_pool_can_be_retried() -> None:
    assert VERBS["retry"](TASKS["failed, frozen"](), factories.person(), {}).effect == Effect.NEW_TASK


def test_all_of_this_is_about_every_place_of_the_table() -> None:
    assert {TASKS[made]().position for made in TASKS} == set(Position)


def test_a_list_of_tasks_costs_no_query_for_each_of_them(api: APIClient) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert api.get("/api/v1/tasks").status_code == 200
        return len(asked)

    factories.pending()
    few = queries()
    for make in (factories.pending, factories.failed, factories.awaiting_confirmation, factories.confirmed):
        make()
    assert queries() == few
