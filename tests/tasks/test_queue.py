"""Tasks that change things run one at a time per workspace, oldest first; the next goes on by the news, not by a timer."""

from collections.abc import Callable

import pytest

from tasks import cancellation, confirmation, remedies, scheduler
from tasks.models import Task
from tasks.states import Event, Status
from tests.tasks import factories
from workspaces import locks

pytestmark = pytest.mark.django_db(transaction=True)

ENDS: dict[str, tuple[Callable[[], Task], Callable[[Task], object]]] = {
    "applied": (factories.applying, lambda task: factories.finish(task, "applied")),
    "refused by the engine": (factories.planning, lambda task: factories.finish(task, "failed", exit_code=1)),
    "without changes": (factories.planning, lambda task: factories.planned(task, has_changes=False)),
    "discarded": (
        factories.awaiting_confirmation,
        lambda task: confirmation.discard(task, by=factories.person()),
    ),
    "cancelled": (factories.pending, lambda task: cancellation.cancel(task, by=factories.person())),
    "marked as failed": (
        factories.needing_attention,
        lambda task: remedies.mark_failed(task, by=factories.person(), reason="Over."),
    ),
}


def reasons(*tasks: Task) -> list[str]:
    return [factories.reread(task).reason_code for task in tasks]


@pytest.mark.parametrize("how", ENDS)
def test_the_next_goes_on_when_the_one_before_is(how: str) -> None:
    make, end = ENDS[how]
    first = make()
    second, third = (factories.pending(workspace=first.workspace) for _ in range(2))
    assert (second.status, third.status) == (Status.WAITING, Status.WAITING)

    end(first)

    assert factories.reread(second).status == Status.PENDING
    waiting = factories.reread(third)
    assert (waiting.status, waiting.reason_code) == (Status.WAITING, "queued_behind")
    assert waiting.reason is not None and waiting.reason["blocker"] == {"kind": "task", "id": str(second.pk)}


@pytest.mark.parametrize("make", [factories.awaiting_confirmation, factories.confirmed, factories.backing_off])
def test_what_is_not_final_keeps_the_others_waiting(make: Callable[[], Task]) -> None:
    first = make()
    second = factories.pending(workspace=first.workspace)
    assert (second.status, second.reason_code) == (Status.WAITING, "queued_behind")


def test_a_waiting_task_can_be_cancelled_and_the_one_behind_it_names_the_one_before_it() -> None:
    first = factories.planning()
    second, third = (factories.pending(workspace=first.workspace) for _ in range(2))
    cancellation.cancel(second, by=factories.person())
    behind = factories.reread(third)
    assert behind.reason is not None and behind.reason["blocker"]["id"] == str(first.pk)


def test_workspaces_do_not_wait_for_each_other() -> None:
    factories.planning()
    assert factories.pending().status == Status.PENDING


def test_an_unlock_lets_only_the_first_go_on() -> None:
    workspace = factories.workspace()
    locks.lock(workspace, by=factories.person(), reason="Hands off.")
    first, second = (factories.pending(workspace=workspace) for _ in range(2))
    assert reasons(first, second) == ["workspace_locked", "workspace_locked"]

    locks.unlock(workspace)

    assert [factories.reread(task).status for task in (first, second)] == [Status.PENDING, Status.WAITING]
    assert reasons(second) == ["queued_behind"]


def test_a_plan_that_changes_nothing_needs_neither_queue_nor_lock() -> None:
    first = factories.planning()
    locks.lock(first.workspace, by=factories.person(), reason="Hands off.")

    beside = factories.pending(workspace=first.workspace, task_type="plan")

    assert beside.status == Status.PENDING
    assert factories.planned(factories.running(beside)).status == Status.SUCCESS
    assert not beside.events.filter(event=Event.WORKSPACE_LOCKED).exists()


def test_a_plan_that_changes_nothing_keeps_nobody_waiting() -> None:
    first = factories.planning(task_type="plan")
    assert factories.pending(workspace=first.workspace).status == Status.PENDING


def test_news_of_a_workspace_that_was_deleted_meanwhile_are_no_failure() -> None:
    scheduler.advance("ws-gone")
