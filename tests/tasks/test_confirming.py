"""A confirmation names a plan: who, when, which; twice is once, and never another plan than the one that was read."""

from collections.abc import Callable

import pytest

from tasks import confirmation, permits, recovery, remedies
from tasks.errors import PlanChanged, PlanStale
from tasks.models import Task
from tasks.permits import Answer
from tasks.states import Event, Status
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def confirm(task: Task, *, by: str = "ann", digest: str = "") -> bool:
    return confirmation.confirm(task, by=factories.person(by), plan_digest=digest)


def planned_again() -> tuple[Task, str]:
    """Return a task whose first plan was stale, and the digest of that one."""
    task = factories.stale()
    remedies.retry(task, by=factories.person())
    return factories.planned(factories.running(task)), task.plan_digest


def test_a_confirmation_keeps_who_when_and_which() -> None:
    task = factories.awaiting_confirmation()
    assert confirm(task, by="bob", digest=task.plan_digest)

    row = factories.reread(task)
    assert row.status == Status.CONFIRMED
    assert (str(row.confirmed_by), row.confirmed_at is not None, row.plan_digest) == ("bob", True, task.plan_digest)


def test_confirming_twice_is_confirming_once() -> None:
    task = factories.awaiting_confirmation()
    assert confirm(task, by="ann") is True
    assert confirm(task, by="bob") is False

    row = factories.reread(task)
    assert str(row.confirmed_by) == "ann"
    assert row.events.filter(event=Event.CONFIRM).count() == 1


@pytest.mark.parametrize("make", [factories.applying, factories.needing_attention, factories.applied])
def test_a_late_second_click_is_nothing_new(make: Callable[[], Task]) -> None:
    task = make()
    assert confirm(task) is False
    assert factories.reread(task).status == task.status


def test_another_digest_than_the_plans_is_refused() -> None:
    task = factories.awaiting_confirmation()
    with pytest.raises(PlanChanged, match=task.plan_digest):
        confirm(task, digest="0" * 64)
    assert factories.reread(task).status == Status.APPLY_PENDING


def test_after_a_new_plan_the_digest_must_be_given() -> None:
    task, _ = planned_again()
    with pytest.raises(PlanChanged, match=task.plan_digest):
        confirm(task)
    assert confirm(task, digest=task.plan_digest)


def test_after_a_new_plan_the_old_digest_confirms_nothing() -> None:
    task, old = planned_again()
    assert old != task.plan_digest
    with pytest.raises(PlanChanged):
        confirm(task, digest=old)
    assert factories.reread(task).status == Status.APPLY_PENDING


def test_a_stale_plan_cannot_be_confirmed() -> None:
    task = factories.stale()
    with pytest.raises(PlanStale, match="Retry"):
        confirm(task)
    assert factories.reread(task).confirmed_at is None


@pytest.mark.django_db(transaction=True)
def test_a_plan_says_at_once_that_the_state_moved_under_it() -> None:
    from_now = factories.awaiting_confirmation()
    factories.upload_state(from_now.workspace_id)
    assert factories.reread(from_now).reason_code == "plan_stale"


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_was_stale_before_it_was_stored_says_so() -> None:
    task = factories.planning()
    factories.upload_state(task.workspace_id)
    planned = factories.planned(task, serial=0, lineage="")
    assert (planned.status, planned.reason_code) == (Status.APPLY_PENDING, "plan_stale")


@pytest.mark.django_db(transaction=True)
def test_a_stale_plan_that_loses_its_warm_slot_still_says_that_it_is_stale() -> None:
    task = factories.awaiting_confirmation()
    factories.upload_state(task.workspace_id)
    recovery.slot_lost(task.pk, task.agent_id, cause="The agent is gone.", last_seen=None)
    assert factories.reread(task).reason_code == "plan_stale"


def test_the_agent_finds_a_stale_plan_and_the_confirmation_is_void() -> None:
    task = factories.applying(permitted=False)
    factories.store_state(task.workspace_id)

    assert permits.ask(task.pk, task.epoch, task.agent_id) is Answer.STALE

    voided = factories.reread(task)
    assert (voided.status, voided.retry_count) == (Status.PENDING, 1)
    assert (voided.confirmed_at, voided.confirmed_by, voided.plan_digest) == (None, None, "")


def test_the_fourth_stale_plan_fails_the_task() -> None:
    task = factories.applying(permitted=False)
    for serial in range(1, 5):
        factories.store_state(task.workspace_id, serial=serial)
        assert permits.ask(task.pk, task.epoch, task.agent_id) is Answer.STALE
        task = factories.reread(task)
        if task.is_final:
            break
        task = factories.planned(factories.running(task))
        confirm(task, digest=task.plan_digest)
        task = factories.running(task)

    assert (task.status, task.retry_count, task.error_code) == (Status.FAILED, 3, "attempts_exhausted")
    assert serial == 4
