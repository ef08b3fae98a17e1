"""What becomes runnable is dispatched in the very call that made it so; no timer is involved."""

import pytest

from pools.models import Pool
from tasks import cancellation, confirmation, dispatching, remedies
from tasks.models import Task
from tasks.states import Lease, Status
from tests.agents.scenes import confirm, join, offered_to, workspace_of
from tests.tasks import factories
from workspaces import edits, locks, signals
from workspaces.models import StateLock, Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_task_is_offered_when_it_is_made() -> None:
    ada = join("ada")
    assert [factories.pending().pk] == offered_to(ada)


def test_what_waits_behind_another_task_goes_on_when_that_ends() -> None:
    ada = join("ada", capacity=2)
    first = factories.running(factories.pending())
    second = factories.pending(workspace=first.workspace)
    assert factories.reread(second).status == Status.WAITING
    factories.finish(first, "failed", exit_code=1)
    second = factories.reread(second)
    assert (second.status, second.lease, second.agent_id) == (Status.PENDING, Lease.OFFERED, ada.pk)


def test_a_cancelled_task_lets_the_next_one_go_on() -> None:
    join("ada", capacity=2)
    first = factories.pending()
    second = factories.pending(workspace=first.workspace)
    cancellation.cancel(first, by=factories.person())
    assert factories.reread(second).lease == Lease.OFFERED


def test_a_confirmation_is_answered_with_its_slot() -> None:
    ada = join("ada")
    task = factories.awaiting_confirmation(on=ada)
    task = confirm(task)
    assert dispatching.outcome(task) == {"outcome": "offered", "agent_id": ada.pk, "slot": 0, "wait_reason": None}


def test_an_unlocked_workspace_goes_on() -> None:
    ada = join("ada")
    workspace = factories.workspace()
    locks.lock(workspace, by=factories.person(), reason="")
    task = factories.pending(workspace=workspace)
    locks.unlock(workspace)
    assert offered_to(ada) == [task.pk]


def test_a_state_lock_that_is_let_go_lets_tasks_go_on() -> None:
    ada = join("ada")
    workspace = factories.workspace()
    held = StateLock.objects.create(workspace=workspace, lock_id="l-1", info={}, holder="user:ann")
    task = factories.pending(workspace=workspace)
    held.delete()
    signals.announce(signals.state_changed, workspace.pk)
    assert offered_to(ada) == [task.pk]


def test_a_slot_that_becomes_free_goes_to_who_waits() -> None:
    ada = join("ada", capacity=1)
    first, second = factories.pending(), factories.pending()
    factories.finish(factories.running(first), "failed", exit_code=1)
    assert offered_to(ada) == [second.pk]


def test_a_discarded_plan_frees_its_slot() -> None:
    ada = join("ada", capacity=1)
    first = factories.running(factories.pending())
    factories.planned(first)
    second = factories.pending(task_type="plan")
    confirmation.discard(factories.reread(first), by=factories.person())
    assert offered_to(ada) == [second.pk]


def test_retry_ends_a_back_off_at_once() -> None:
    task = factories.backing_off()
    ada = join("ada")
    assert offered_to(ada) == []
    again = remedies.retry(task, by=factories.person()).task
    dispatching.ask_again(again)
    assert offered_to(ada) == [task.pk]


def test_another_pool_holds_for_what_waits_already(static_pool: Pool) -> None:
    """The remedy of incident 511: whoever is stuck is helped by the new pool, in the same call."""
    bob = join("bob", pool=static_pool)
    task = factories.pending()
    assert factories.reread(task).reason_code == "no_connected_agent"
    _move(task.workspace, static_pool)
    assert offered_to(bob) == [task.pk]


def test_another_pool_does_not_touch_what_holds_a_slot(static_pool: Pool) -> None:
    ada = join("ada")
    join("bob", pool=static_pool)
    task = factories.running(factories.pending())
    _move(task.workspace, static_pool)
    assert factories.reread(task).agent_id == ada.pk


def test_a_confirmed_plan_goes_to_the_new_pool_without_waiting_for_its_old_slot(static_pool: Pool) -> None:
    ada = join("ada")
    bob = join("bob", pool=static_pool)
    task = factories.awaiting_confirmation(on=ada)
    _move(task.workspace, static_pool)
    confirm(task)
    assert offered_to(bob) == [task.pk]
    assert not Task.objects.leased_by(ada.pk).exists()


def test_a_stale_confirmed_plan_is_planned_again_at_once() -> None:
    """Between the confirmation and a free slot somebody changed the state: nothing of the old plan may be applied."""
    task = factories.confirmed(on=factories.agent())
    factories.store_state(task.workspace_id)
    ada = join("ada")
    task = factories.reread(task)
    assert (task.status, task.lease, task.confirmed_at, task.retry_count) == (Status.PENDING, Lease.OFFERED, None, 1)
    assert offered_to(ada) == [task.pk]


def test_a_k8s_workspace_runs_on_its_pods(k8s_pool: Pool) -> None:
    pod = join("pod-1", pool=k8s_pool, pod_name="pod-1")
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert offered_to(pod) == [task.pk]
    assert factories.reread(task).pod_name == "pod-1"


def _move(workspace: Workspace, pool: Pool) -> None:
    workspace.execution_mode, workspace.pool = "agent", pool
    edits.save(workspace, ["execution_mode", "pool"])
