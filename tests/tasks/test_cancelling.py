"""Cancel: at once where nothing runs, one request to stop where something does, and never a lie about an apply."""

from collections.abc import Callable

import pytest

from tasks import attempts, cancellation, permits, recovery
from tasks.errors import IllegalMove, StaleEpoch
from tasks.models import Task
from tasks.permits import Answer
from tasks.states import Event, Stage, Status
from tests.tasks import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

AT_ONCE: list[Callable[[], Task]] = [
    factories.pending,
    factories.offered,
    factories.backing_off,
    factories.awaiting_confirmation,
    factories.stale,
    factories.confirmed,
    lambda: factories.offered(factories.confirmed()),
    lambda: factories.pending(workspace=factories.planning().workspace),
]


def cancel(task: Task) -> Task:
    """Cancel it, and return the row as it is then; `task` stays as it was seen."""
    cancellation.cancel(factories.reread(task), by=factories.person())
    return factories.reread(task)


def force_cancel(task: Task) -> Task:
    cancellation.force_cancel(factories.reread(task), by=factories.person())
    return factories.reread(task)


@pytest.mark.parametrize("number", range(len(AT_ONCE)))
def test_what_does_not_run_is_cancelled_at_once(number: int) -> None:
    task = AT_ONCE[number]()
    cancelled = cancel(task)
    assert (cancelled.status, cancelled.lease, cancelled.stage) == (Status.CANCELLED, "", "")
    assert cancelled.epoch > task.epoch
    assert not task.attempts.filter(ended_at=None).exists()


def test_a_cancelled_offer_cannot_be_accepted() -> None:
    task = factories.offered()
    cancel(task)
    with pytest.raises(StaleEpoch):
        attempts.accept(task.pk, task.epoch, task.agent_id)


@pytest.mark.parametrize("make", [factories.planning, factories.applying])
def test_what_runs_is_asked_to_stop_once(make: Callable[[], Task]) -> None:
    task = cancel(make())
    assert (task.status, task.stage) == (Status.RUNNING, Stage.CANCELLING)
    cancel(task)
    assert task.events.filter(event=Event.CANCEL).count() == 1


def test_a_plan_that_ends_after_the_cancel_is_cancelled_and_kept() -> None:
    task = factories.planned(factories.cancelling())
    assert (task.status, task.confirmed_at) == (Status.CANCELLED, None)
    assert task.plan_digest


def test_an_agent_that_dies_during_a_cancelled_plan_ends_it() -> None:
    task = factories.cancelling()
    recovery.slot_lost(task.pk, task.agent_id, cause="The agent is gone.", last_seen=None)
    assert factories.reread(task).status == Status.CANCELLED


def test_an_apply_that_ended_well_in_spite_of_the_cancel_is_applied() -> None:
    assert factories.finish(cancel(factories.applying()), "applied").status == Status.APPLIED


@pytest.mark.parametrize("outcome", ["cancelled", "failed"])
def test_an_apply_that_the_cancel_ended_is_cancelled(outcome: str) -> None:
    task = cancel(factories.applying())
    ended = factories.finish(task, outcome, exit_code=1, error_message="1 of 2 resources were made.")
    assert ended.status == Status.CANCELLED
    assert ended.events.get(event=Event.CANCELLED).reason == "1 of 2 resources were made."


def test_an_apply_without_proof_of_its_end_needs_attention() -> None:
    task = cancel(factories.applying())
    recovery.slot_lost(task.pk, task.agent_id, cause="The agent is gone.", last_seen=None)
    assert factories.reread(task).status == Status.NEEDS_ATTENTION


def test_no_permit_is_given_after_a_cancel() -> None:
    task = cancel(factories.applying(permitted=False))
    assert permits.ask(task.pk, task.epoch, task.agent_id) is Answer.REFUSED
    assert not task.attempts.exclude(permitted_at=None).exists()


def test_a_cancelled_apply_that_turns_out_stale_makes_no_new_plan() -> None:
    task = cancel(factories.applying())
    assert factories.finish(task, "stale", exit_code=1).status == Status.CANCELLED


def test_force_comes_only_after_a_cancel() -> None:
    task = factories.applying()
    with pytest.raises(IllegalMove, match="cancel it first"):
        force_cancel(task)


@pytest.mark.parametrize("number", range(len(AT_ONCE)))
def test_where_nothing_runs_there_is_nothing_to_force(number: int) -> None:
    with pytest.raises(IllegalMove, match="force cancel is not possible there"):
        force_cancel(AT_ONCE[number]())


def test_force_does_not_wait_for_a_plan() -> None:
    task = factories.cancelling()
    assert force_cancel(task).status == Status.CANCELLED
    with pytest.raises(StaleEpoch):
        factories.finish(task, "failed", exit_code=1)


def test_force_does_not_wait_for_an_apply_that_has_no_permit() -> None:
    task = force_cancel(cancel(factories.applying(permitted=False)))
    assert task.status == Status.CANCELLED


def test_force_on_an_apply_that_may_run_needs_attention_and_takes_its_late_result() -> None:
    task = force_cancel(cancel(factories.applying()))
    assert task.status == Status.NEEDS_ATTENTION
    assert Workspace.objects.get(pk=task.workspace_id).locked_by == f"task:{task.pk}"

    assert factories.finish(task, "applied").status == Status.APPLIED
    assert Workspace.objects.get(pk=task.workspace_id).locked_by == ""
