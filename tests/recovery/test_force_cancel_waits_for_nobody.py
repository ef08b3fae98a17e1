"""Force-cancel: a plan ends; an apply that may run needs attention, keeps its slot, and its agent is still heard."""

import pytest
from django.db import IntegrityError, transaction

from agents import commands, work
from agents.commands import Told
from agents.models import Agent
from agents.protocol import Stop, Work
from agents.sessions import Session
from pools.models import PoolToken
from tasks import attempts, cancellation, recovery, remedies
from tasks.attempts import Place
from tasks.models import Task
from tasks.states import Lease, Status
from tests.recovery.cells import forced
from tests.tasks import factories
from workspaces.models import StateLock, Workspace

pytestmark = pytest.mark.django_db


def session_of(task: Task) -> Session:
    from_now_on = Agent.objects.get(pk=task.agent_id)
    return Session(
        agent_id=from_now_on.pk,
        agent_name=from_now_on.name,
        pool_id=from_now_on.pool_id,
        token_id=PoolToken.issue(pool=from_now_on.pool)[0].pk,
        session=from_now_on.session,
    )


def test_a_forced_apply_keeps_epoch_slot_and_the_workspace() -> None:
    before = factories.applying()
    cancellation.cancel(factories.reread(before), by=factories.person())
    cancellation.force_cancel(factories.reread(before), by=factories.person())
    task = factories.reread(before)
    assert (task.status, task.lease, task.epoch) == (Status.NEEDS_ATTENTION, Lease.RUNNING, before.epoch)
    assert (task.agent_id, task.slot) == (before.agent_id, before.slot)
    assert Workspace.objects.get(pk=task.workspace_id).locked_by == f"task:{task.pk}"


def test_its_reason_says_what_was_done_and_nothing_untrue_of_its_agent() -> None:
    message = (forced().wait_reason or {})["message"]
    assert message.startswith("Cancelled by force: nobody waited for the engine to stop. Agent agent-")
    assert "heard of" not in message


def test_its_slot_is_given_to_nobody_while_its_engine_may_run() -> None:
    task = forced()
    place = Place(agent_id=task.agent_id, agent_name="ada", pod_name="", slot=task.slot or 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        attempts.offer(factories.pending(), place)


def test_its_agent_is_not_told_to_drop_it() -> None:
    task = forced()
    listed = (Work(task=task.pk, epoch=task.epoch),)
    assert work.compare(task.agent_id, listed) == []


def test_its_agent_is_still_asked_to_stop_when_it_comes_back() -> None:
    task = forced()
    Agent.objects.filter(pk=task.agent_id).update(session="s-1")
    words = commands.pending(session_of(task), Told())
    assert [type(word).__name__ for word in words] == ["Cancel"]
    assert not any(isinstance(word, Stop) for word in words)


def test_its_late_result_ends_it_and_frees_slot_and_workspace() -> None:
    task = factories.finish(forced(), "applied")
    assert (task.status, task.lease, task.stage) == (Status.APPLIED, "", "")
    assert not task.workspace.is_locked


def test_when_its_agent_is_given_up_the_slot_is_free_and_a_person_decides() -> None:
    task = forced()
    recovery.slot_lost(task.pk, task.agent_id, cause="The agent is gone.", last_seen=None)
    lost = factories.reread(task)
    assert (lost.status, lost.lease, lost.stage, lost.epoch) == (Status.NEEDS_ATTENTION, "", "", task.epoch)


def test_marked_as_failed_it_lets_go_of_everything() -> None:
    task = forced()
    StateLock.objects.create(
        workspace=task.workspace,
        lock_id="l",
        info={},
        holder=f"task:{task.pk}",
        task_id=task.pk,
        epoch=task.epoch,
        phase="apply",
    )
    remedies.mark_failed(factories.reread(task), by=factories.person(), reason="Seen.")
    ended = factories.reread(task)
    assert (ended.status, ended.lease, ended.epoch) == (Status.FAILED, "", task.epoch + 1)
    assert not StateLock.objects.exists() and not ended.workspace.is_locked
    assert not ended.attempts.filter(ended_at=None).exists()


def test_a_forced_plan_ends_under_a_new_epoch_and_frees_its_slot() -> None:
    before = factories.cancelling()
    cancellation.force_cancel(factories.reread(before), by=factories.person())
    task = factories.reread(before)
    assert (task.status, task.lease, task.epoch) == (Status.CANCELLED, "", before.epoch + 1)
