"""An agent that is lost: a plan is tried again at most three times, an apply never once it was permitted."""

from datetime import timedelta

import pytest

from iacplatform.base import clock
from tasks import attempts, recovery, remedies
from tasks.errors import StaleEpoch
from tasks.models import Task
from tasks.states import Lease, Status
from tests.tasks import factories
from workspaces.models import StateLock, Workspace

pytestmark = pytest.mark.django_db


def lose(task: Task, cause: str = "The agent is gone.") -> Task:
    recovery.slot_lost(task.pk, task.agent_id, cause=cause, last_seen=clock.now())
    return factories.reread(task)


def lock_state(task: Task) -> None:
    StateLock.objects.create(
        workspace=task.workspace,
        lock_id="abc",
        info={},
        holder=f"task:{task.pk}",
        task_id=task.pk,
        epoch=task.epoch,
        phase=task.phase,
    )


def test_a_plan_is_tried_three_times_and_every_cause_is_kept() -> None:
    task = factories.pending()
    pauses = []
    for number in (1, 2, 3):
        task = lose(factories.running(task), f"Cause {number}.")
        pauses.append(task.not_before and round((task.not_before - clock.now()).total_seconds()))

    assert (task.status, task.error_code, task.attempt) == (Status.FAILED, "attempts_exhausted", 3)
    assert [f"Cause {number}." in task.error_message for number in (1, 2, 3)] == [True] * 3
    assert list(task.attempts.values_list("outcome", "cause")) == [
        ("interrupted", f"Cause {number}.") for number in (1, 2, 3)
    ]
    assert pauses == [5, 20, None]


def test_offers_that_nobody_took_do_not_count_as_attempts() -> None:
    task = factories.pending()
    for _ in range(5):
        task = lose(factories.offered(task))
    assert (task.status, task.attempt) == (Status.PENDING, 0)
    assert factories.running(task).attempt == 1


def test_an_engine_that_was_killed_in_its_plan_is_tried_again() -> None:
    task = factories.finish(factories.planning(), "killed", exit_code=-9, error_message="Out of memory.")
    assert (task.status, task.reason_code) == (Status.PENDING, "retry_backoff")
    assert task.reason is not None and "signal 9" in task.reason["message"]


def test_an_apply_that_is_lost_before_the_permit_is_offered_again() -> None:
    task = lose(factories.applying(permitted=False))
    assert (task.status, task.lease, task.confirmed_at is not None) == (Status.CONFIRMED, "", True)


@pytest.mark.parametrize("killed", [True, False])
def test_an_apply_that_is_lost_after_the_permit_needs_a_person(killed: bool) -> None:
    task = factories.applying()
    lost = factories.finish(task, "killed", exit_code=-9) if killed else lose(task)
    assert (lost.status, lost.epoch) == (Status.NEEDS_ATTENTION, task.epoch)
    assert lost.wait_reason is not None and lost.wait_reason["turn"] == "person"
    assert Workspace.objects.get(pk=task.workspace_id).locked_by == f"task:{task.pk}"


def test_a_killed_apply_that_is_reported_again_still_needs_a_person() -> None:
    task = factories.applying()
    for _ in range(2):  # the answer to the first report was lost
        task = factories.finish(task, "killed", exit_code=-9, error_message="Out of memory.")
    assert task.status == Status.NEEDS_ATTENTION
    assert Workspace.objects.get(pk=task.workspace_id).locked_by == f"task:{task.pk}"


@pytest.mark.parametrize(("outcome", "status"), [("applied", Status.APPLIED), ("failed", Status.FAILED)])
def test_the_late_result_of_a_lost_apply_is_taken_and_lets_go_of_the_workspace(outcome: str, status: str) -> None:
    task = factories.needing_attention()
    assert factories.finish(task, outcome, exit_code=1).status == status
    assert Workspace.objects.get(pk=task.workspace_id).locked_by == ""
    assert not task.attempts.filter(ended_at=None).exists()


def test_a_persons_own_lock_stays_when_a_lost_apply_ends() -> None:
    task = factories.applying()
    Workspace.objects.filter(pk=task.workspace_id).update(locked_by="user:bob")
    lose(task)
    factories.finish(task, "applied")
    assert Workspace.objects.get(pk=task.workspace_id).locked_by == "user:bob"


def test_the_result_of_an_old_epoch_is_refused_and_changes_nothing() -> None:
    old = factories.planning()
    task = factories.running(lose(old))
    with pytest.raises(StaleEpoch):
        factories.finish(old, "failed", exit_code=1)
    assert factories.reread(task).status == Status.RUNNING


def test_after_a_persons_word_a_late_result_is_refused() -> None:
    task = factories.needing_attention()
    remedies.mark_failed(factories.reread(task), by=factories.person(), reason="Over.")
    with pytest.raises(StaleEpoch):
        factories.finish(task, "applied")
    assert factories.reread(task).status == Status.FAILED


def test_marking_it_failed_lets_go_of_the_workspace_and_of_its_state_lock() -> None:
    task = factories.applying()
    lock_state(task)
    lost = lose(task)
    assert StateLock.objects.exists()

    remedies.mark_failed(lost, by=factories.person(), reason="The machine burnt down.")

    failed = factories.reread(task)
    assert (failed.status, failed.error_code, failed.error_message) == (
        Status.FAILED,
        "marked_failed",
        "The machine burnt down.",
    )
    assert not StateLock.objects.exists()
    assert Workspace.objects.get(pk=task.workspace_id).locked_by == ""
    assert list(task.attempts.filter(phase="apply").values_list("outcome", flat=True)) == ["lost"]


def test_the_state_lock_of_a_lost_plan_ends_with_it() -> None:
    task = factories.planning()
    lock_state(task)
    lose(task)
    assert not StateLock.objects.exists()


def test_a_reservation_that_is_lost_costs_only_warmth() -> None:
    task = lose(factories.confirmed())
    assert (task.status, task.lease, task.reason_code) == (Status.CONFIRMED, "", "reservation_lost")
    assert factories.running(task).status == Status.RUNNING


def test_another_agents_loss_is_nothing_to_a_task() -> None:
    task = factories.planning()
    recovery.slot_lost(task.pk, factories.agent().agent_id, cause="Gone.", last_seen=None)
    assert factories.reread(task).lease == Lease.RUNNING


def test_a_slot_that_is_kept_for_an_apply_ends_by_itself() -> None:
    task = factories.awaiting_confirmation()
    assert task.lease_expires_at is not None
    assert task.lease_expires_at - clock.now() <= timedelta(seconds=factories.RESERVATION_SECONDS)
    assert attempts.phase_of(task) == "plan"
