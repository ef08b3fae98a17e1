"""Retry: a new task of what ended without success, a nudge for what waits, a new plan of a stale one, else a sentence."""

from collections.abc import Callable

import pytest

from tasks import permits, recovery, remedies
from tasks.errors import LostRace, NotRetryable
from tasks.follow_ups import Result
from tasks.models import Task
from tasks.states import Event, Status
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def retry(task: Task) -> Task:
    return remedies.retry(task, by=factories.person("bob")).task


@pytest.mark.parametrize("make", [factories.failed, factories.cancelled, factories.discarded])
def test_what_ended_without_success_gets_a_new_task_and_stays_as_it_is(make: Callable[[], Task]) -> None:
    task = make()
    new = retry(task)
    assert new.pk != task.pk
    assert (new.status, new.task_type, str(new.created_by)) == (Status.PENDING, task.task_type, "bob")
    assert factories.reread(task).status == task.status


def test_a_lost_apply_is_marked_failed_and_gets_a_new_task() -> None:
    task = factories.needing_attention()
    new = retry(task)
    assert (factories.reread(task).status, factories.reread(task).error_code) == (Status.FAILED, "marked_failed")
    assert (new.pk != task.pk, new.status) == (True, Status.PENDING)


def test_a_task_that_backs_off_may_start_now() -> None:
    task = factories.backing_off()
    assert task.not_before is not None
    assert retry(task).not_before is None
    assert Task.objects.count() == 1


@pytest.mark.parametrize("make", [factories.pending, factories.confirmed])
def test_what_only_lacks_capacity_is_unchanged(make: Callable[[], Task]) -> None:
    task = make()
    same = retry(task)
    assert (same.pk, same.status, same.epoch) == (task.pk, task.status, task.epoch)
    assert same.events.count() == task.events.count()


def test_a_stale_plan_is_made_anew_and_its_digest_is_gone() -> None:
    task = factories.stale()
    again = retry(task)
    assert (again.pk, again.status, again.plan_digest, again.lease) == (task.pk, Status.PENDING, "", "")
    assert again.plan_count == 1


def test_a_plan_that_no_agent_can_apply_is_made_anew_and_its_confirmation_is_void() -> None:
    task = factories.out_of_reach()
    tried = remedies.retry(task, by=factories.person("bob"))
    again = factories.reread(task)
    assert (tried.task.pk, tried.result) == (task.pk, Result.PLANS_AGAIN)
    assert (again.status, again.plan_digest, again.confirmed_at, again.lease) == (Status.PENDING, "", None, "")
    assert "no agent can apply the confirmed one" in again.events.get(event=Event.REPLAN).reason


def test_while_the_agent_that_fits_may_be_back_in_a_moment_the_confirmation_stays() -> None:
    task = factories.misfit()
    tried = remedies.retry(task, by=factories.person("bob"))
    same = factories.reread(task)
    assert (tried.result, same.status, same.confirmed_by) == (Result.LOOKED_AGAIN, Status.CONFIRMED, task.confirmed_by)
    assert (same.plan_digest, same.events.count()) == (task.plan_digest, task.events.count())


@pytest.mark.parametrize(
    "make",
    [
        factories.planning,
        factories.applying,
        factories.awaiting_confirmation,
        factories.applied,
        factories.succeeded,
        lambda: factories.pending(workspace=factories.planning().workspace),
    ],
)
def test_where_there_is_nothing_to_try_again_a_sentence_says_so(make: Callable[[], Task]) -> None:
    with pytest.raises(NotRetryable, match="nothing to try again"):
        retry(make())


def test_a_retry_of_what_was_lost_in_this_moment_marks_nothing_failed() -> None:
    seen = factories.confirmed()
    lost = factories.running(factories.reread(seen))
    permits.ask(lost.pk, lost.epoch, lost.agent_id)
    recovery.slot_lost(lost.pk, lost.agent_id, cause="The agent is gone.", last_seen=None)
    with pytest.raises(LostRace, match="Look at it"):
        remedies.retry(seen, by=factories.person())
    assert factories.reread(seen).status == Status.NEEDS_ATTENTION
