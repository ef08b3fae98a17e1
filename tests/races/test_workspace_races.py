"""What two processes do to one workspace at the same time; each guard beside what happens without it."""

import pytest
from django.db import IntegrityError, transaction

from tasks import attempts, confirmation, permits, remedies, scheduler
from tasks.errors import StaleEpoch
from tasks.models import Task
from tasks.permits import Answer
from tasks.states import Status
from tests import factories as rows
from tests.races.racing import interleave, race, without_row_locks
from tests.tasks import factories
from workspaces import locks, signals
from workspaces.models import Variable, Workspace

pytestmark = pytest.mark.django_db(transaction=True)

WRITES_TASK = 'UPDATE "tasks_task"'
LOOKS_AT_QUEUE = 'FROM "tasks_task"'
"""What the scheduler does first, right after the commit of a lock."""
LOOKS_AT_WORKSPACE = 'FROM "workspaces_workspace"'
MAKES_TASK = 'INSERT INTO "tasks_task"'


def lock(task: Task) -> None:
    locks.lock(Workspace.objects.get(pk=task.workspace_id), by=factories.person("bob"), reason="Hands off.")


def upload_state(task: Task) -> None:
    with transaction.atomic():
        factories.store_state(task.workspace_id)
        signals.announce(signals.state_changed, task.workspace_id)


def test_of_two_tasks_that_are_made_at_once_one_waits() -> None:
    workspace = factories.workspace()
    first, second = interleave(
        lambda: factories.pending(workspace=workspace),
        lambda: factories.pending(workspace=workspace),
        before=MAKES_TASK,
    )
    assert (first.status, second.status) == (Status.PENDING, Status.WAITING)


def test_without_the_workspaces_row_lock_one_of_two_tasks_cannot_be_made() -> None:
    workspace = factories.workspace()
    with without_row_locks():
        late, quick = interleave(
            lambda: factories.pending(workspace=workspace),
            lambda: factories.pending(workspace=workspace),
            before=MAKES_TASK,
        )
    assert isinstance(late, IntegrityError) and quick.status == Status.PENDING


def test_many_tasks_made_at_once_stand_in_one_queue() -> None:
    workspace = factories.workspace()
    made = race(*[lambda: factories.pending(workspace=workspace)] * 5)
    assert sorted(task.status for task in made) == [Status.PENDING] + [Status.WAITING] * 4


def test_an_accept_that_came_before_the_lock_stands() -> None:
    task = factories.offered()
    answers = interleave(
        lambda: attempts.accept(task.pk, task.epoch, task.agent_id), lambda: lock(task), before=WRITES_TASK
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert factories.reread(task).status == Status.RUNNING
    assert Workspace.objects.get(pk=task.workspace_id).locked_by == "user:bob"


def test_an_accept_that_comes_after_the_lock_is_refused() -> None:
    task = factories.offered()
    _, answer = interleave(
        lambda: lock(task), lambda: attempts.accept(task.pk, task.epoch, task.agent_id), before=LOOKS_AT_QUEUE
    )
    assert isinstance(answer, StaleEpoch)
    assert factories.reread(task).status == Status.WAITING


def test_without_the_second_look_an_accept_slips_in_after_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_demand_unlocked", lambda task: None)
    task = factories.offered()
    interleave(lambda: lock(task), lambda: attempts.accept(task.pk, task.epoch, task.agent_id), before=LOOKS_AT_QUEUE)
    assert factories.reread(task).status == Status.RUNNING


def test_a_plan_that_becomes_stale_while_it_is_confirmed_is_never_applied() -> None:
    task = factories.awaiting_confirmation()
    answer, _ = interleave(
        lambda: confirmation.confirm(task, by=factories.person()), lambda: upload_state(task), before=WRITES_TASK
    )
    assert answer is True

    row = factories.reread(task)
    if row.status == Status.CONFIRMED:
        running = factories.running(row)
        assert permits.ask(running.pk, running.epoch, running.agent_id) is Answer.STALE
    voided = factories.reread(task)
    assert (voided.status, voided.confirmed_at, voided.plan_digest) == (Status.PENDING, None, "")
    assert not task.attempts.exclude(permitted_at=None).exists()


def test_a_word_on_a_lost_apply_and_a_look_at_its_queue_do_not_wait_for_each_other() -> None:
    task = factories.needing_attention()
    answers = interleave(
        lambda: remedies.mark_failed(factories.reread(task), by=factories.person(), reason="Over."),
        lambda: scheduler.advance(task.workspace_id),
        before=LOOKS_AT_WORKSPACE,
    )
    assert answers == [True, None]
    assert factories.reread(task).status == Status.FAILED


def test_a_variable_that_becomes_sensitive_while_another_change_is_on_its_way_stays_so() -> None:
    variable = Variable(workspace=factories.workspace(), key="password")
    variable.set_value("hunter2-and-more")
    variable.save()
    address = f"/api/v1/workspaces/{variable.workspace_id}/variables/{variable.pk}"
    one, other = rows.client(rows.admin()), rows.client(rows.admin())
    interleave(
        lambda: one.patch(address, {"key": "secret"}, format="json"),
        lambda: other.patch(address, {"sensitive": True}, format="json"),
        before='UPDATE "workspaces_variable"',
    )
    shown = one.get(address).json()
    assert (shown["key"], shown["sensitive"], shown["value"]) == ("secret", True, None)


def test_a_change_does_not_bring_back_a_variable_that_is_deleted_meanwhile() -> None:
    variable = Variable(workspace=factories.workspace(), key="old")
    variable.set_value("x")
    variable.save()
    address = f"/api/v1/workspaces/{variable.workspace_id}/variables/{variable.pk}"
    one, other = rows.client(rows.admin()), rows.client(rows.admin())
    interleave(
        lambda: one.patch(address, {"key": "new"}, format="json"),
        lambda: other.delete(address),
        before='UPDATE "workspaces_variable"',
    )
    assert not Variable.objects.exists()
