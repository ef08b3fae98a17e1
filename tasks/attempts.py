"""One try at one phase: offered, accepted, and for an apply permitted. Called by the layer that knows the agents."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists
from django.db.models.functions import Coalesce

from iacplatform.base import actors, clock, writes
from iacplatform.base.writes import Write
from tasks import moves, reasons
from tasks.errors import StaleEpoch
from tasks.models import Attempt, Task
from tasks.states import Event, Lease, Phase, Stage, Status
from workspaces import states as workspace_states
from workspaces.models import Workspace

ACCEPT_SECONDS = 10
OVERTIME_SECONDS = {Phase.PLAN: 300, Phase.APPLY: 600}
"""The agent ends a phase by itself at its time-out; this much later the server stops believing that it will. Before the
kill an engine has 30 s in a plan and 300 s in an apply (less loses state); five minutes more, to hand everything in."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A slot of an agent."""

    agent_id: str
    agent_name: str
    pod_name: str
    slot: int


def phase_of(task: Task) -> Phase:
    """Return the phase that a runnable task needs a slot for."""
    return Phase.APPLY if task.status == Status.CONFIRMED else Phase.PLAN


def offer(task: Task, place: Place) -> Attempt:
    """Hold a slot for an attempt at the task's next phase, whose epoch is new. Called within a transaction.

    Raises `LostRace` when the task moved meanwhile, `IntegrityError` when the slot was taken meanwhile.
    """
    phase, epoch = phase_of(task), task.epoch + 1
    where = {"agent_id": place.agent_id, "pod_name": place.pod_name, "slot": place.slot}
    made = {"task": task, "epoch": epoch, "phase": phase, "number": _attempts_at(task, phase) + 1}
    attempt = Attempt(**made, **where, agent_name=place.agent_name)
    moves.move(
        task,
        Event.OFFERED,
        Status(task.status),
        actor=actors.DISPATCHER,
        why=_where(task, place),
        reason=reasons.offered(place.agent_name, place.slot, ACCEPT_SECONDS, before=task.reason),
        along=[writes.insert(attempt)],
        epoch=epoch,
        phase=phase,
        attempt=_attempts_at(task, phase),
        stage=Stage.OFFERED,
        lease=Lease.OFFERED,
        lease_expires_at=clock.In(seconds=ACCEPT_SECONDS),
        not_before=None,
        **where,
    )
    return attempt


def _attempts_at(task: Task, phase: Phase) -> int:
    return task.attempt if task.phase == phase else 0


def _where(task: Task, place: Place) -> str:
    slot = f"Slot {place.slot} of agent {place.agent_name}"
    if task.lease != Lease.RESERVED:
        return f"{slot}."
    kept = (task.agent_id, task.slot) == (place.agent_id, place.slot)
    return f"{slot}, which was kept for it." if kept else f"{slot}; the slot that was kept for it is free again."


def locked(task_id: int, epoch: int, agent_id: str, *conditions: Exists) -> tuple[Task, Attempt]:
    """Return the task and its current attempt, both rows locked. Raises `StaleEpoch` where it is not this agent's."""
    known = {"task_id": task_id, "epoch": epoch, "agent_id": agent_id, "task__epoch": epoch}
    attempt = Attempt.objects.locked(*conditions, **known)
    if attempt is None:
        raise StaleEpoch(f"Attempt {epoch} of task {task_id} is not this agent's current one.")
    return attempt.task, attempt


def accept(task_id: int, epoch: int, agent_id: str, *conditions: Exists) -> Attempt:
    """Let the agent begin; accepting again returns the same attempt.

    Raises `StaleEpoch` when the offer is gone, or one of the `conditions` of the layer above does not hold.
    """
    with transaction.atomic():
        task, attempt = locked(task_id, epoch, agent_id, *conditions)
        if attempt.accepted_at is not None and task.status == Status.RUNNING:
            return attempt
        if task.lease != Lease.OFFERED:
            raise StaleEpoch(f"Attempt {epoch} of task {task_id} is no longer offered.")
        _demand_unlocked(task)
        _begin(task, attempt)
    return attempt


def take_back(task: Task, *, cause: str, actor: str) -> None:
    """Free the slot of an offer that nobody accepted; the task is runnable again under a new epoch."""
    close_open(task, outcome="lapsed", cause=cause)
    moves.move(
        task,
        Event.LAPSED,
        Status(task.status),
        actor=actor,
        why=cause,
        reason=reasons.offer_not_accepted(cause),
        epoch=task.epoch + 1,
        stage="",
        **moves.UNASSIGNED,
    )


def newest_of(task: Task) -> Attempt:
    """Return the attempt of the task's epoch."""
    return task.attempts.get(epoch=task.epoch)


def close(attempt: Attempt, *, outcome: str, cause: str = "", **facts: Any) -> None:
    """Write how an attempt ended; the state lock of a plan ends with it."""
    writes.together(*closing(attempt, outcome=outcome, cause=cause, **facts))


def closing(attempt: Attempt, *, outcome: str, cause: str = "", **facts: Any) -> list[Write]:
    """Return what writes how an attempt ended, to go along with the move that ends it."""
    ended = {"ended_at": clock.DatabaseNow(), "outcome": outcome, "cause": cause, **facts}
    closed = writes.update(Attempt.objects.filter(pk=attempt.pk), **ended)
    if attempt.phase != Phase.PLAN:
        return [closed]
    task = attempt.task
    held = workspace_states.releasing(
        workspace_id=task.workspace_id, task_id=task.pk, epoch=attempt.epoch, phase=Phase.PLAN
    )
    return [closed, held]


def close_open(task: Task, *, outcome: str, cause: str) -> None:
    """End whatever attempt of the task has not ended: a taken-back offer, for one."""
    for attempt in task.attempts.filter(ended_at=None):
        close(attempt, outcome=outcome, cause=cause)


def _demand_unlocked(task: Task) -> None:
    # Read anew: the lock may have been taken since the offer, and who took it was told that nothing starts.
    if task.is_changing and Workspace.objects.filter(pk=task.workspace_id).exclude(locked_by="").exists():
        raise StaleEpoch(f"Somebody locked the workspace of task {task.pk} after the offer; it is taken back.")


def _begin(task: Task, attempt: Attempt) -> None:
    timeout = task.workspace.plan_timeout_seconds if task.phase == Phase.PLAN else task.workspace.apply_timeout_seconds
    until = clock.In(seconds=timeout + OVERTIME_SECONDS[Phase(task.phase)])
    moves.move(
        task,
        Event.ACCEPTED,
        Status.RUNNING,
        actor=actors.agent(attempt.agent_name),
        why=f"{attempt.get_phase_display()} attempt {attempt.number}.",
        along=[writes.update(Attempt.objects.filter(pk=attempt.pk), accepted_at=clock.DatabaseNow())],
        stage=Stage.PREPARING,
        lease=Lease.RUNNING,
        lease_expires_at=None,
        attempt=attempt.number,
        started_at=Coalesce("started_at", clock.DatabaseNow()),
        progress_done=0,
        progress_total=0,
        deadline=until,
        next_check_at=until,
    )
