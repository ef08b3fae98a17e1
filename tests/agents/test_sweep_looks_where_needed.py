"""The sweep finds by one query each which queue, which plan and which pool needs it, and leaves the others alone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from agents import capacity, sweep
from tasks import cancellation, plans, reasons, scheduler
from tasks.models import Task
from tasks.signals import task_moved
from tests.tasks import cells, factories
from workspaces import locks
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_moved, "send_robust", lambda **facts: [])


@pytest.fixture
def advanced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the workspaces whose queues are looked at from now on."""
    seen: list[str] = []
    real = scheduler.advance

    def noted(workspace_id: str) -> None:
        seen.append(workspace_id)
        real(workspace_id)

    monkeypatch.setattr(scheduler, "advance", noted)
    return seen


def locked_by_a_person() -> Task:
    workspace = factories.workspace()
    locks.lock(workspace, by=factories.person(), reason="holidays")
    return factories.pending(workspace=workspace)


def behind_one_that_needs_attention() -> Task:
    lost = factories.needing_attention()
    return factories.pending(workspace=lost.workspace)


def confirmed_and_locked() -> Task:
    task = factories.confirmed()
    locks.lock(task.workspace, by=factories.person(), reason="holidays")
    return task


def third_in_its_queue() -> Task:
    second = cells.queued()
    return factories.pending(workspace=second.workspace)


@pytest.mark.parametrize(
    "make",
    [
        cells.queued,
        third_in_its_queue,
        locked_by_a_person,
        behind_one_that_needs_attention,
        confirmed_and_locked,
        factories.needing_attention,
        factories.planning,
    ],
    ids=lambda make: make.__name__,
)
def test_a_queue_that_is_in_order_is_left_alone(
    make: Callable[[], Task], advanced: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    make()
    advanced.clear()
    sweep.sweep()
    assert advanced == []
    assert "news should" not in caplog.text


@pytest.mark.usefixtures("no_news")
def test_a_queue_whose_first_has_ended_goes_on_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    second = cells.queued()
    first = scheduler.before(second)
    assert first is not None
    factories.finish(first, "failed", exit_code=1)
    assert factories.reread(second).status == "waiting"
    sweep.sweep()
    assert factories.reread(second).status == "pending"
    assert "a queue that news should have moved" in caplog.text


@pytest.mark.usefixtures("no_news")
def test_a_task_that_names_one_that_has_ended_is_told_the_right_one() -> None:
    third = third_in_its_queue()
    second = scheduler.before(third)
    assert second is not None
    cancellation.cancel(second, by=factories.person())
    assert (factories.reread(third).reason or {})["blocker"]["id"] == str(second.pk)
    sweep.sweep()
    first = scheduler.before(third)
    assert first is not None
    assert (factories.reread(third).reason or {})["blocker"]["id"] == str(first.pk)


@pytest.mark.parametrize("locked_by", ["", "user:bob"])
def test_a_lock_that_changed_without_news_is_noticed(locked_by: str) -> None:
    task = locked_by_a_person()
    Workspace.objects.update(locked_by=locked_by)
    sweep.sweep()
    task = factories.reread(task)
    assert task.status == ("waiting" if locked_by else "pending")
    assert not locked_by or "bob" in (task.reason or {})["message"]


def test_a_plan_that_became_stale_without_news_says_so_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    task = factories.awaiting_confirmation()
    factories.store_state(task.workspace_id)
    assert factories.reread(task).reason_code == "awaiting_confirmation"
    sweep.sweep()
    assert factories.reread(task).reason_code == "plan_stale"
    assert "a plan that news should have judged" in caplog.text


def test_a_plan_that_is_called_stale_and_fits_awaits_its_confirmation() -> None:
    task = factories.awaiting_confirmation()
    stale = reasons.plan_stale({}).stored()
    Task.objects.filter(pk=task.pk).update(reason=stale, reason_code="plan_stale")
    sweep.sweep()
    assert factories.reread(task).reason_code == "awaiting_confirmation"


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "reservation lost"])
def test_a_plan_that_fits_is_left_alone(*, is_kept: bool) -> None:
    task = factories.awaiting_confirmation()
    if not is_kept:
        cells.lose(task)
    before = factories.reread(task).reason
    assert list(plans.misjudged()) == []
    sweep.sweep()
    assert factories.reread(task).reason == before


def test_looking_for_what_is_out_of_place_takes_one_query_each(
    django_assert_num_queries: Any,
) -> None:
    for make in (cells.queued, third_in_its_queue, factories.awaiting_confirmation, factories.awaiting_confirmation):
        make()
    with django_assert_num_queries(1):
        list(plans.misjudged())
    with django_assert_num_queries(1):
        list(Task.objects.misplaced())


def test_a_pool_that_the_sweep_cannot_dispatch_says_so_on_its_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [factories.pending(), factories.pending()]

    def fail(*args: object) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(capacity, "look", fail)
    sweep.sweep()
    assert {factories.reread(task).reason_code for task in tasks} == {"dispatch_failed"}
