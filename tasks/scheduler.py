"""Which task of a workspace may run next: the oldest that changes things, unless the workspace is locked.

Called whenever something ended or a lock changed, and by the sweep; calling it twice does no harm.
"""

import logging
from contextlib import suppress
from typing import Any

from django.db import transaction

from iacplatform.base import actors
from iacplatform.base.problems import NotFound
from tasks import attempts, moves, reasons
from tasks.errors import LostRace
from tasks.models import Task
from tasks.reasons import WaitReason
from tasks.states import Event, Lease, Status
from workspaces.models import Workspace

log = logging.getLogger(__name__)


def advance(workspace_id: str) -> None:
    """Let the first task go on, hold back what a lock forbids, and say of the others what they wait for.

    Nothing where the workspace is gone: it may have been deleted between the end of its last task and the news of it.
    """
    with suppress(NotFound), transaction.atomic():
        workspace = Workspace.objects.locked_for_change(workspace_id)
        queue = list(Task.objects.filter(workspace=workspace).live().changing().order_by("id"))
        for earlier, task in zip([None, *queue], queue, strict=False):
            _try_to_place(workspace, earlier, task)


def obstacle(workspace: Workspace, earlier: Task | None) -> WaitReason | None:
    """Return why a task that changes things cannot be runnable: the workspace's lock, or the task before it."""
    if workspace.is_locked:
        return reasons.workspace_locked(workspace.locked_by, workspace.lock_reason)
    if earlier is not None:
        return reasons.queued_behind(earlier.pk)
    return None


def last_in_queue(workspace: Workspace) -> Task | None:
    """Return the task after which a new one that changes things would come."""
    return Task.objects.filter(workspace=workspace).live().changing().order_by("-id").first()


def before(task: Task) -> Task | None:
    """Return the task that comes before this one in its workspace's queue."""
    queue = Task.objects.filter(workspace_id=task.workspace_id, id__lt=task.pk).live().changing()
    return queue.order_by("-id").first()


def lost_task(workspace_id: str) -> int | None:
    """Return the task of this workspace that needs attention."""
    lost = Task.objects.filter(workspace_id=workspace_id, status=Status.NEEDS_ATTENTION)
    return lost.values_list("pk", flat=True).first()


def _try_to_place(workspace: Workspace, earlier: Task | None, task: Task) -> None:
    try:
        with transaction.atomic():
            _place(workspace, earlier, task)
    except LostRace:
        # Accepted or cancelled in this instant: that move stands, and the others' places do not hang on it.
        log.info("A task moved while its workspace's queue was looked at.", extra=task.log_fields())


def _place(workspace: Workspace, earlier: Task | None, task: Task) -> None:
    reason = obstacle(workspace, earlier)
    if task.status == Status.WAITING:
        _go_on_or_wait(task, reason)
    elif reason is not None and workspace.is_locked:
        _respect_lock(task, reason)


def _respect_lock(seen: Task, reason: WaitReason) -> None:
    if seen.status != Status.PENDING and seen.lease != Lease.OFFERED:
        return  # Its row is not waited for: whoever ends an apply holds it, and waits for the workspace's.
    # The task's row before its attempt's, as whoever accepts an offer takes them, or the two would wait for each other.
    task = Task.objects.locked(seen.pk)
    if (task.status, task.epoch) != (seen.status, seen.epoch):
        return
    if task.status == Status.PENDING:
        _hold_back(task, reason)
    elif task.lease == Lease.OFFERED:
        attempts.take_back(task, cause=reason.message, actor=actors.SCHEDULER)


def _go_on_or_wait(task: Task, reason: WaitReason | None) -> None:
    if reason is not None:
        moves.explain_wait(task, reason)
        return
    why = "What it waited for has ended."
    dispatching = reasons.dispatching()
    moves.move(task, Event.UNBLOCKED, Status.PENDING, actor=actors.SCHEDULER, why=why, reason=dispatching)


def _hold_back(task: Task, reason: WaitReason) -> None:
    fenced: dict[str, Any] = {"epoch": task.epoch + 1} if task.lease == Lease.OFFERED else {}
    attempts.close_open(task, outcome="lapsed", cause=reason.message)
    moves.move(
        task,
        Event.WORKSPACE_LOCKED,
        Status.WAITING,
        actor=actors.SCHEDULER,
        why=reason.message,
        reason=reason,
        stage="",
        **moves.UNASSIGNED,
        **fenced,
    )
