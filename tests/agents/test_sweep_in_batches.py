"""The sweep's pass over a long queue holds few rows at a time, and lets nobody overtake those it turned away before."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from agents import capacity, dispatcher, sweep
from pools.models import Pool
from tasks.models import Task
from tasks.signals import task_moved
from tasks.states import Lease
from tests.agents.scenes import offered_to
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def in_twos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each batch be of two tasks, and nobody dispatch but the test."""
    monkeypatch.setattr(dispatcher, "BATCH_TASKS", 2)
    monkeypatch.setattr(task_moved, "send_robust", lambda **facts: [])


@pytest.fixture
def before_the_second_batch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that says what happens between the first batch and the second."""

    def _before(act: Callable[[], object]) -> None:
        acts, real = iter([lambda: None, act]), capacity.look

        def look(*args: Any, **options: Any) -> Any:
            next(acts, lambda: None)()
            return real(*args, **options)

        monkeypatch.setattr(capacity, "look", look)

    return _before


def queue(number: int) -> list[Task]:
    return [factories.pending() for _ in range(number)]


def a_pass() -> None:
    dispatcher.dispatch_all(Pool.objects.local().pk, cause="test")


def test_each_batch_is_a_transaction_of_its_own() -> None:
    queue(5)
    with CaptureQueriesContext(connection) as seen:
        a_pass()
    turns = [query["sql"] for query in seen if "pg_advisory_xact_lock" in query["sql"] or query["sql"] == "COMMIT"]
    assert [turn == "COMMIT" for turn in turns] == [False, True] * 3
    assert set(Task.objects.values_list("reason_code", flat=True)) == {"no_connected_agent"}


def test_what_a_batch_leaves_over_goes_to_the_next() -> None:
    tasks = queue(5)
    ada = factories.agent("ada", connected=True, capacity=3)
    sweep.sweep()
    assert offered_to(ada) == [task.pk for task in tasks[:3]]


def test_applies_go_before_older_plans_across_batches() -> None:
    queue(3)
    applies = [factories.confirmed(on=factories.agent()) for _ in range(3)]
    ada = factories.agent("ada", connected=True, capacity=3)
    sweep.sweep()
    assert offered_to(ada) == [task.pk for task in applies]


def test_an_agent_that_comes_between_two_batches_is_for_the_oldest(
    before_the_second_batch: Callable[[Callable[[], object]], None],
) -> None:
    tasks = queue(4)
    before_the_second_batch(lambda: factories.agent("bob", connected=True, capacity=1))
    a_pass()
    assert not Task.objects.exclude(lease=Lease.NONE).exists()
    a_pass()
    assert list(Task.objects.filter(lease=Lease.OFFERED)) == [tasks[0]]


def test_a_slot_that_becomes_free_between_two_batches_is_for_the_oldest(
    before_the_second_batch: Callable[[Callable[[], object]], None],
) -> None:
    ada = factories.agent("ada", connected=True, capacity=1)
    runs = factories.planning(on=ada)
    tasks = queue(4)
    before_the_second_batch(lambda: factories.finish(runs, "failed", exit_code=1))
    a_pass()
    assert offered_to(ada) == []
    a_pass()
    assert offered_to(ada) == [tasks[0].pk]


def test_a_slot_that_is_kept_for_a_plan_only_now_is_not_taken_by_a_younger_one(
    before_the_second_batch: Callable[[Callable[[], object]], None],
) -> None:
    ada = factories.agent("ada", connected=True, capacity=1)
    runs = factories.planning(on=ada)
    tasks = queue(4)
    before_the_second_batch(lambda: factories.planned(runs))
    a_pass()
    assert factories.reread(runs).lease == Lease.RESERVED
    a_pass()
    assert offered_to(ada) == [tasks[0].pk]


def test_a_batch_that_fails_says_so_and_keeps_the_others_from_nothing(
    before_the_second_batch: Callable[[Callable[[], object]], None],
) -> None:
    tasks = queue(6)

    def fail() -> None:
        raise OperationalError("canceling statement due to lock timeout")

    before_the_second_batch(fail)
    a_pass()
    codes = [factories.reread(task).reason_code for task in tasks]
    assert codes == ["no_connected_agent"] * 2 + ["dispatch_failed"] * 2 + ["no_connected_agent"] * 2
