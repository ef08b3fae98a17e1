"""A workspace's state: reading it, adding versions, and the lock of whoever writes the next one.

What is asked of one state is done one after another. A holder's fence comes first: it may lock rows of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import connection, transaction

from iacplatform.base import encryption, writes
from iacplatform.base.problems import Problem
from iacplatform.base.writes import Write
from workspaces import kept_states, large_states, signals, state_documents
from workspaces.errors import LockNotHeld, StateLocked, StateRefused
from workspaces.holders import Holder
from workspaces.models import StateLock, StateVersion
from workspaces.state_documents import Document


def newest(workspace_id: str, holder: Holder) -> StateVersion | None:
    """Return the state that the engine reads, or None while there is none."""
    holder.demand(holder.may_read, "read")
    return StateVersion.objects.newest_of(workspace_id)


def store(workspace_id: str, content: bytes, holder: Holder, *, lock_id: str = "") -> StateVersion:
    """Return the new version; the same content at the same serial again returns the one that is stored.

    Raises `Invalid` for what is no state, `StateLocked` while somebody else holds the lock, `StateRefused` where it
    does not follow the newest version, `TryAgain` while other large states are stored. What a task's run sends and is
    refused is kept aside; the refusal says where.
    """
    holder.demand(holder.may_write, "write")
    with large_states.turn(len(content)):
        return _store_or_keep(workspace_id, state_documents.read(content), holder, lock_id)


def upload(workspace_id: str, content: bytes, holder: Holder) -> StateVersion:
    """Return the version that a person adds by hand; refused while anybody holds the lock. Otherwise like `store`."""
    holder.demand(holder.may_write, "write")
    with large_states.turn(len(content)):
        document = state_documents.read(content)
        sealed = encryption.seal(content, StateVersion.owner(workspace_id))
        with _alone(workspace_id, holder):
            _demand_free(_lock_of(workspace_id))
            return _known(workspace_id, document) or _add(workspace_id, document, sealed, holder)


def roll_back(version: StateVersion, holder: Holder) -> StateVersion:
    """Return a new version with the content of `version` and the next serial; refused while anybody holds the lock."""
    holder.demand(holder.may_write, "write")
    workspace_id = version.workspace_id
    with large_states.turn(version.size), _alone(workspace_id, holder):
        _demand_free(_lock_of(workspace_id))
        last = StateVersion.objects.defer("sealed_content").newest_of(workspace_id) or version
        document = state_documents.read(state_documents.with_serial(version.content(), last.serial + 1))
        sealed = encryption.seal(document.content, StateVersion.owner(workspace_id))
        return _add(workspace_id, document, sealed, holder)


def lock(workspace_id: str, lock_id: str, info: dict[str, Any], holder: Holder) -> StateLock:
    """Return the lock; taking one's own again with the same id is nothing new. Raises `StateLocked`."""
    holder.demand(holder.may_lock, "lock")
    with _alone(workspace_id, holder):
        held = _lock_of(workspace_id)
        if held is None:
            return _take(workspace_id, lock_id, info, holder)
        if not _took(holder, held, lock_id):
            raise locked(held)
        return held


def unlock(workspace_id: str, lock_id: str, holder: Holder) -> None:
    """Let go. Without an id whatever lock is held, as `terraform force-unlock` asks; what is not locked stays so."""
    holder.demand(holder.may_lock, "unlock")
    with _alone(workspace_id, holder):
        held = _lock_of(workspace_id)
        if held is not None:
            _demand_breakable(held, holder, lock_id)
            release(held)


def release_locks_of(*, workspace_id: str, task_id: int, epoch: int, phase: str) -> bool:
    """Release what an attempt holds, because it has ended; return whether there was a lock."""
    ended = releasing(workspace_id=workspace_id, task_id=task_id, epoch=epoch, phase=phase)
    return bool(writes.together(ended))


def releasing(*, workspace_id: str, task_id: int, epoch: int, phase: str) -> Write:
    """Return what releases it, to go along with the end of the attempt."""
    held = StateLock.objects.filter(task_id=task_id, epoch=epoch, phase=phase)
    return writes.delete(held, then=partial(_tell_released, workspace_id))


def _tell_released(workspace_id: str, count: int) -> None:
    if count:
        signals.announce(signals.state_changed, workspace_id)


def release(held: StateLock) -> None:
    """End the lock, whoever holds it: who may ask for that was judged before."""
    workspace_id = held.workspace_id
    held.delete()
    signals.announce(signals.state_changed, workspace_id)


def locked(held: StateLock) -> StateLocked:
    """Return the refusal that shows the holder; the engine reads the lock's own members from it."""
    who = held.info.get("Who") or held.holder
    detail = f"The state is locked by {held.holder} ({who}) since {held.created_at:%Y-%m-%d %H:%M:%S} UTC: wait for it."
    return StateLocked(detail, extras=held.info)


def _store_or_keep(workspace_id: str, document: Document, holder: Holder, lock_id: str) -> StateVersion:
    try:
        return _store(workspace_id, document, holder, lock_id)
    except Problem as refusal:
        if holder.task_id is None:
            raise
        if known := _known(workspace_id, document):
            return known
        raise kept_states.refused(workspace_id, document, holder, refusal) from refusal


def _store(workspace_id: str, document: Document, holder: Holder, lock_id: str) -> StateVersion:
    sealed = encryption.seal(document.content, StateVersion.owner(workspace_id))
    with _alone(workspace_id, holder):
        _demand_lock(_lock_of(workspace_id), holder, lock_id)
        return _known(workspace_id, document) or _add(workspace_id, document, sealed, holder)


@contextmanager
def _alone(workspace_id: str, holder: Holder) -> Iterator[None]:
    with transaction.atomic():
        holder.fence()
        with connection.cursor() as cursor:
            # Not the workspace's row: a large state would hold up the dispatch of its tasks.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"state:{workspace_id}"])
        yield


def _lock_of(workspace_id: str) -> StateLock | None:
    return StateLock.objects.filter(workspace_id=workspace_id).first()


def _demand_lock(held: StateLock | None, holder: Holder, lock_id: str) -> None:
    """Raise `StateLocked` when somebody else holds the lock; who locked nothing may write while nobody did."""
    if held is not None and not _took(holder, held, lock_id) and not _is_own(held, holder):
        raise locked(held)


def _demand_free(held: StateLock | None) -> None:
    if held is not None:
        raise locked(held)


def _demand_breakable(held: StateLock, holder: Holder, lock_id: str) -> None:
    if lock_id not in ("", held.lock_id):
        raise LockNotHeld(f"The state is locked with the id {held.lock_id}, not with {lock_id}.")
    if held.task_id is not None and held.task_id != holder.task_id:
        raise LockNotHeld(
            f"The lock belongs to task {held.task_id}. It ends with the task's run; when its agent is lost, the task's "
            "page offers to release it."
        )
    if held.holder != holder.name and not holder.may_break:
        raise LockNotHeld(f"The lock belongs to {held.holder}; to break it you need workspaces.delete_statelock.")


def _took(holder: Holder, held: StateLock, lock_id: str) -> bool:
    # The id alone proves nothing: a 423 shows it to everybody who asks.
    return held.lock_id == lock_id and held.holder == holder.name


def _is_own(held: StateLock, holder: Holder) -> bool:
    return held.task_id is not None and (held.task_id, held.epoch) == (holder.task_id, holder.epoch)


def _known(workspace_id: str, document: Document) -> StateVersion | None:
    """Return the version that an earlier, unanswered request stored."""
    same = StateVersion.objects.filter(workspace_id=workspace_id, serial=document.serial, digest=document.digest)
    return same.defer("sealed_content").first()


def _add(workspace_id: str, document: Document, sealed: bytes, holder: Holder) -> StateVersion:
    last = StateVersion.objects.defer("sealed_content").newest_of(workspace_id)
    if fault := state_documents.refusal(document, last):
        raise StateRefused(fault)
    row = StateVersion.objects.create(
        workspace_id=workspace_id,
        serial=document.serial,
        lineage=document.lineage,
        digest=document.digest,
        size=len(document.content),
        resources=document.resources,
        sealed_content=sealed,
        created_by=holder.author or holder.name,
        task_id=holder.task_id,
    )
    signals.announce(signals.state_changed, workspace_id)
    return row


def _take(workspace_id: str, lock_id: str, info: dict[str, Any], holder: Holder) -> StateLock:
    row = StateLock.objects.create(
        workspace_id=workspace_id,
        lock_id=lock_id,
        info=info,
        holder=holder.name,
        task_id=holder.task_id,
        epoch=holder.epoch,
        phase=holder.phase,
        agent_id=holder.agent_id,
    )
    signals.announce(signals.state_changed, workspace_id)
    return row
