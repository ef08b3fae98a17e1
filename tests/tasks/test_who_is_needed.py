"""The first page shows every task that goes on only when a person does something, and of a queue only its first."""

from collections.abc import Callable

import pytest

from tasks.models import Task
from tasks.scheduler import advance
from tests.tasks import factories
from workspaces import locks

pytestmark = pytest.mark.django_db


def needed() -> set[int]:
    """Return the tasks that need somebody."""
    return set(Task.objects.with_outlook().needing_somebody().values_list("pk", flat=True))


def test_a_forgotten_lock_shows_by_the_first_task_that_it_holds_up() -> None:
    first = factories.pending()
    second = factories.pending(workspace=first.workspace)
    assert needed() == set()
    locks.lock(first.workspace, by=factories.person("ann"), reason="Looking into it.")
    advance(first.workspace_id)
    assert {task.reason_code for task in Task.objects.all()} == {"workspace_locked"}
    assert needed() == {first.pk}
    locks.unlock(first.workspace)
    advance(first.workspace_id)
    assert second.pk not in needed()


def test_who_waits_behind_a_task_that_needs_attention_needs_only_that_one() -> None:
    lost = factories.needing_attention()
    factories.pending(workspace=lost.workspace)
    assert needed() == {lost.pk}


def test_a_plan_that_waits_for_its_reader_needs_one() -> None:
    task = factories.awaiting_confirmation()
    assert needed() == {task.pk}


@pytest.mark.parametrize("make", [factories.planning, factories.confirmed, factories.failed, factories.applied])
def test_what_machines_move_needs_nobody(make: Callable[[], Task]) -> None:
    make()
    assert needed() == set()
