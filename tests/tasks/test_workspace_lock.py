"""While a workspace is locked nothing that changes things starts, whatever was under way when the lock came."""

from collections.abc import Callable

import pytest

from tasks import attempts, recovery, remedies, scheduler
from tasks.errors import StaleEpoch
from tasks.models import Task
from tasks.states import Event, Lease, Status
from tests.tasks import factories
from workspaces import locks
from workspaces.errors import LockedByTask
from workspaces.models import Workspace

news = pytest.mark.django_db(transaction=True)


def lock(workspace: Workspace) -> None:
    locks.lock(workspace, by=factories.person("bob"), reason="Hands off.")


def locked_by(task: Task) -> str:
    return Workspace.objects.get(pk=task.workspace_id).locked_by


@news
def test_a_lock_puts_a_pending_task_into_waiting_and_the_unlock_lets_it_go_on() -> None:
    task = factories.pending()

    lock(task.workspace)
    waiting = factories.reread(task)
    assert (waiting.status, waiting.reason_code) == (Status.WAITING, "workspace_locked")

    locks.unlock(task.workspace)
    assert factories.reread(task).status == Status.PENDING


@news
def test_a_lock_takes_back_the_offer_of_a_pending_task_and_closes_its_attempt() -> None:
    task = factories.offered()
    lock(task.workspace)

    waiting = factories.reread(task)
    assert (waiting.status, waiting.lease, waiting.stage, waiting.agent_id) == (Status.WAITING, "", "", "")
    assert task.attempts.get().outcome == "lapsed"
    with pytest.raises(StaleEpoch):
        attempts.accept(task.pk, task.epoch, task.agent_id)


@news
def test_a_lock_takes_back_the_offer_of_a_confirmed_task_which_stays_confirmed() -> None:
    task = factories.offered(factories.confirmed())
    lock(task.workspace)

    held = factories.reread(task)
    assert (held.status, held.lease) == (Status.CONFIRMED, Lease.NONE)
    assert held.epoch > task.epoch
    assert [event.event for event in held.events.all()][-1] == Event.LAPSED


@pytest.mark.django_db
@pytest.mark.parametrize("make", [factories.pending, factories.confirmed])
def test_an_offer_is_not_accepted_once_the_workspace_is_locked(make: Callable[[], Task]) -> None:
    task = factories.offered(make())
    lock(task.workspace)  # and whoever locked it dies before the scheduler hears of it
    with pytest.raises(StaleEpoch, match="locked"):
        attempts.accept(task.pk, task.epoch, task.agent_id)


@news
def test_a_lock_leaves_a_plan_that_changes_nothing_alone() -> None:
    task = factories.offered(task_type="plan")
    lock(task.workspace)
    attempts.accept(task.pk, task.epoch, task.agent_id)
    assert factories.reread(task).status == Status.RUNNING


@news
@pytest.mark.parametrize("make", [factories.planning, factories.applying])
def test_a_lock_leaves_what_runs_alone(make: Callable[[], Task]) -> None:
    task = make()
    lock(task.workspace)
    assert factories.reread(task).status == Status.RUNNING


@news
def test_a_plan_that_broke_off_in_a_locked_workspace_waits_for_the_unlock() -> None:
    task = factories.planning()
    lock(task.workspace)
    recovery.slot_lost(task.pk, task.agent_id, cause="The agent is gone.", last_seen=None)

    waiting = factories.reread(task)
    assert (waiting.status, waiting.reason_code) == (Status.WAITING, "workspace_locked")


@news
def test_a_new_plan_of_a_stale_one_waits_in_a_locked_workspace() -> None:
    task = factories.stale()
    lock(task.workspace)
    remedies.retry(task, by=factories.person())
    assert factories.reread(task).status == Status.WAITING


@news
def test_a_confirmed_task_in_a_locked_workspace_keeps_the_promise() -> None:
    task = factories.confirmed()
    factories.agent(connected=True)
    lock(task.workspace)

    held = factories.reread(task)
    assert (held.status, held.reason_code) == (Status.CONFIRMED, "workspace_locked")
    assert held.deadline is not None


@pytest.mark.django_db
def test_a_lost_apply_holds_its_workspace_the_instant_a_persons_own_lock_is_gone() -> None:
    # Without any news: nothing sweeps here, and nobody hears that the workspace was unlocked.
    task = factories.applying()
    lock(task.workspace)
    recovery.slot_lost(task.pk, task.agent_id, cause="The agent is gone.", last_seen=None)
    assert locked_by(task) == "user:bob"

    locks.unlock(task.workspace)

    assert locked_by(task) == f"task:{task.pk}"
    with pytest.raises(LockedByTask):
        locks.unlock(task.workspace)


@news
def test_what_waits_for_a_lost_apply_says_so_and_offers_no_unlock() -> None:
    lost = factories.needing_attention()
    behind = factories.reread(factories.pending(workspace=lost.workspace))
    assert behind.reason is not None
    assert behind.reason["blocker"] == {"kind": "task", "id": str(lost.pk)}
    assert "unlock" not in behind.reason["actions"]


@pytest.mark.django_db
def test_one_task_that_moves_meanwhile_does_not_keep_the_others_from_their_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = factories.pending()
    second = factories.pending(workspace=first.workspace)
    lock(first.workspace)
    place = scheduler._place

    def place_late(workspace: Workspace, earlier: Task | None, task: Task) -> None:
        if task.pk == first.pk:
            Task.objects.filter(pk=first.pk).update(epoch=first.epoch + 1)
        place(workspace, earlier, task)

    monkeypatch.setattr(scheduler, "_place", place_late)
    scheduler.advance(first.workspace_id)

    assert factories.reread(first).status == Status.PENDING
    assert factories.reread(second).reason_code == "workspace_locked"
