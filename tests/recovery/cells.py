"""Every situation that a task can be in when a person looks for a button: where it stands, its lease, and its locks."""

from collections.abc import Callable
from datetime import timedelta

from agents import sweep
from agents.models import Agent
from iacplatform.base import clock
from pools.models import Pool
from tasks import attempts, cancellation, recovery, remedies
from tasks.attempts import Place
from tasks.models import Task
from tests.tasks import factories
from workspaces import locks
from workspaces.models import StateLock

Maker = Callable[[], Task]
Change = Callable[[Task], object]


def cancelled_in_mid_apply(permitted: bool) -> Maker:
    def made() -> Task:
        task = factories.applying(permitted=permitted)
        cancellation.cancel(task, by=factories.person())
        return factories.reread(task)

    return made


def without_its_slot(make: Maker) -> Maker:
    """Return a maker of a task whose kept slot was given up."""
    return lambda: factories.lose(make())


def forced() -> Task:
    task = cancelled_in_mid_apply(permitted=True)()
    cancellation.force_cancel(task, by=factories.person())
    return factories.reread(task)


def regained() -> Task:
    """Return a lost apply whose agent came back with it."""
    task = factories.needing_attention()
    recovery.slot_regained(task.pk, task.epoch, task.agent_id)
    return factories.reread(task)


def marked() -> Task:
    task = factories.needing_attention()
    remedies.mark_failed(task, by=factories.person(), reason="Over.")
    return factories.reread(task)


def retried(end: Maker) -> Maker:
    """Return a maker of a task that another one does again."""

    def made() -> Task:
        task = end()
        remedies.retry(task, by=factories.person())
        return factories.reread(task)

    return made


def retried_in_vain() -> Task:
    task = factories.failed()
    cancellation.cancel(remedies.retry(task, by=factories.person()).task, by=factories.person())
    return factories.reread(task)


def used_up() -> Task:
    """Return a task whose last attempt at the plan broke off."""
    task = factories.planning()
    Task.objects.filter(pk=task.pk).update(attempt=recovery.MOST_ATTEMPTS)
    return factories.lose(factories.reread(task))


def kept_slot_offered() -> Task:
    task = factories.confirmed()
    kept = Place(agent_id=task.agent_id, agent_name="agent", pod_name="", slot=task.slot or 0)
    attempts.offer(task, kept)
    return factories.reread(task)


def frozen(make: Callable[..., Task] = factories.pending) -> Task:
    """Return a task of a pool that starts nothing until an hour from now."""
    now = clock.now()
    edges = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=1):%H:%M}"}
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    pool = Pool.objects.create(
        name=f"nights-{Pool.objects.count()}", freeze_windows=[{"days": days, **edges, "timezone": "UTC"}]
    )
    return make(workspace=factories.workspace(execution_mode="agent", pool=pool))


TASKS: dict[str, Maker] = {
    "waiting": lambda: factories.pending(workspace=factories.planning().workspace),
    "pending": factories.pending,
    "plan only": lambda: factories.pending(task_type="plan"),
    "offered": factories.offered,
    "backing off": factories.backing_off,
    "frozen": frozen,
    "confirmed, frozen": lambda: frozen(factories.confirmed),
    "planning": factories.planning,
    "cancelling its plan": factories.cancelling,
    "awaiting confirmation": factories.awaiting_confirmation,
    "awaiting, slot gone": without_its_slot(factories.awaiting_confirmation),
    "stale": factories.stale,
    "stale, slot gone": without_its_slot(factories.stale),
    "confirmed": factories.confirmed,
    "confirmed, slot gone": without_its_slot(factories.confirmed),
    "misfit": factories.misfit,
    "out of reach": factories.out_of_reach,
    "apply offered": lambda: factories.offered(factories.confirmed()),
    "apply offered on its slot": kept_slot_offered,
    "apply backing off": lambda: factories.lose(factories.applying(permitted=False)),
    "applying without permit": lambda: factories.applying(permitted=False),
    "applying": factories.applying,
    "cancelling, no permit": cancelled_in_mid_apply(permitted=False),
    "cancelling its apply": cancelled_in_mid_apply(permitted=True),
    "lost": factories.needing_attention,
    "forced": forced,
    "regained": regained,
    "success": factories.succeeded,
    "applied": factories.applied,
    "failed": factories.failed,
    "failed, frozen": lambda: frozen(factories.failed),
    "used up": used_up,
    "marked as failed": marked,
    "cancelled": factories.cancelled,
    "discarded": factories.discarded,
    "retried": retried(factories.failed),
    "lost and retried": retried(factories.needing_attention),
    "retried in vain": retried_in_vain,
}


def by_a_person(task: Task) -> None:
    if not factories.reread(task).workspace.is_locked:
        locks.lock(task.workspace, by=factories.person(), reason="Hands off.")


def state_by(holder: Task, task: Task) -> None:
    StateLock.objects.create(
        workspace=task.workspace,
        lock_id="lock-1",
        info={"Operation": "apply"},
        holder=f"task:{holder.pk}",
        task_id=holder.pk,
        epoch=holder.epoch,
        phase=holder.phase,
        agent_id=holder.agent_id,
    )


def state_by_its_own_run(task: Task) -> None:
    state_by(task, task)


def state_by_a_dead_run(task: Task) -> None:
    state_by(factories.failed(), task)


def state_by_its_own_lost_run(task: Task) -> None:
    """Lock it by the task's run, whose agent was silent for longer than a lease."""
    state_by(task, task)
    Agent.objects.update(lease_until=clock.now())


def state_from_outside(task: Task) -> None:
    StateLock.objects.create(workspace=task.workspace, lock_id="lock-2", info={}, holder="user:bob")


LOCKS: dict[str, Change] = {
    "no lock": lambda task: None,
    "a person's lock": by_a_person,
    "its own state lock": state_by_its_own_run,
    "its own state lock, agent gone": state_by_its_own_lost_run,
    "an orphaned state lock": state_by_a_dead_run,
    "a state lock from outside": state_from_outside,
}


def settled(task: Task) -> Task:
    """Return the task after the sweep has looked at it: no news is heard in a test without commits."""
    sweep.sweep()
    return Task.objects.with_outlook().get(pk=task.pk)
