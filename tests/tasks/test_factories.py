"""The factories bring tasks to where they say, by the domain's own verbs."""

from collections.abc import Callable

import pytest

from tasks.models import Task
from tasks.states import Position
from tests.tasks import factories

pytestmark = pytest.mark.django_db

PLACES: dict[Callable[..., Task], str] = {
    factories.pending: "pending",
    factories.offered: "pending",
    factories.backing_off: "pending",
    factories.planning: "running plan",
    factories.cancelling: "running plan",
    factories.awaiting_confirmation: "apply_pending",
    factories.stale: "apply_pending",
    factories.confirmed: "confirmed",
    factories.applying: "running apply",
    factories.needing_attention: "needs_attention",
    factories.succeeded: "final",
    factories.applied: "final",
    factories.failed: "final",
    factories.discarded: "final",
    factories.cancelled: "final",
}


@pytest.mark.parametrize("make", PLACES, ids=lambda make: make.__name__)
def test_a_factory_brings_a_task_to_where_it_says(make: Callable[..., Task]) -> None:
    task = make()
    assert task.position == Position(PLACES[make])
    assert not Task.objects.breaking_the_promise().exists()


def test_several_tasks_share_an_agent() -> None:
    ada = factories.agent()
    slots = {factories.planning(on=ada).slot for _ in range(3)}
    assert slots == {0, 1, 2}


def test_a_second_task_of_a_workspace_waits() -> None:
    first = factories.planning()
    assert factories.pending(workspace=first.workspace).status == "waiting"
