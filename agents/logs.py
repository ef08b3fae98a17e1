"""What an engine says, as agents send it: pieces with an offset, stored without gap or repetition.

They belong to their attempt, whatever became of its task since: what a lost agent brings late is evidence.
Its agent has masked them; `covering` looks once more, as not every agent may be one of ours, or of today.
"""

import base64
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from agents import covering, protocol
from agents.protocol import Log, ProtocolError
from tasks.errors import StaleEpoch
from tasks.models import Attempt, LogChunk
from tasks.models.attempt import LONGEST_LOG_BYTES

_TOO_LONG = b"\nThe log is longer than 129 MiB; what followed is not kept.\n"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """How far the attempt's log is dealt with, in bytes. `is_late`: the task has gone on without the attempt."""

    offset: int
    is_late: bool


def store(agent_id: str, word: Log) -> Stored:
    """Store what follows on what is stored; return how much that is then, from where the agent goes on.

    Of a log that is too long the rest is taken and not kept, so that the attempt's result can still follow.
    Raises `StaleEpoch` for an attempt that never was the agent's or whose log is complete, `ProtocolError` for what is
    no piece of log.
    """
    data = _decoded(word)
    mine = Attempt.objects.filter(task_id=word.task, epoch=word.epoch, agent_id=agent_id)
    attempt = mine.with_epoch_now().first()
    if attempt is None:
        raise StaleEpoch(f"Attempt {word.epoch} of task {word.task} is not this agent's.")
    if attempt.log_bytes is not None and attempt.log_stored >= attempt.log_bytes:
        data = _only_known(word, data, attempt)
    is_late = attempt.epoch_now != attempt.epoch
    if attempt.log_stored > LONGEST_LOG_BYTES:
        return Stored(offset=word.offset + len(data), is_late=is_late)
    fresh = _bounded(data[attempt.log_stored - word.offset :] if word.offset <= attempt.log_stored else b"", attempt)
    return Stored(offset=_append(attempt, fresh) if fresh else attempt.log_stored, is_late=is_late)


def _bounded(data: bytes, attempt: Attempt) -> bytes:
    """Return what of a piece is stored; the one that does not fit any more ends with a sentence that says so."""
    room = LONGEST_LOG_BYTES - attempt.log_stored
    return data if len(data) <= room else data[:room] + _TOO_LONG


def _only_known(word: Log, data: bytes, attempt: Attempt) -> bytes:
    """Return the piece where it is stored already; raise `StaleEpoch` where it goes on after the log's end.

    The token of an attempt never ends, and whoever ran in it knew the token: the record of a run must.
    """
    if word.offset + len(data) > attempt.log_stored:
        raise StaleEpoch(f"The log of attempt {word.epoch} of task {word.task} is complete: it said so at its end.")
    return data


def settle(agent_id: str, task_id: int, epoch: int) -> None:
    """Cover what is held back of a log to which nothing is added any more, so that all of it may be shown."""
    holding = Attempt.objects.filter(task_id=task_id, epoch=epoch, agent_id=agent_id).exclude(log_held=0)
    for attempt in holding:
        _write(attempt, b"", is_last=True)


def _append(attempt: Attempt, data: bytes) -> int:
    """Return how much of the log is stored afterwards: by us, or by somebody who was faster."""
    is_last = attempt.log_bytes is not None and attempt.log_stored + len(data) >= attempt.log_bytes
    if _write(attempt, data, is_last=is_last):
        return attempt.log_stored + len(data)
    attempt.refresh_from_db(fields=["log_stored"])
    return attempt.log_stored


def _write(attempt: Attempt, data: bytes, *, is_last: bool) -> bool:
    """Store what follows, covered together with what was held back; return whether nobody was faster."""
    begun = covering.begun(attempt)
    safe = covering.cover(covering.known(attempt), begun.data, data, is_last=is_last)
    with transaction.atomic():
        untouched = Attempt.objects.filter(pk=attempt.pk, log_stored=attempt.log_stored)
        if not untouched.update(log_stored=F("log_stored") + len(data), log_held=safe.held):
            return False
        if data:
            LogChunk.objects.create(attempt=attempt, offset=attempt.log_stored, data=safe.data)
        begun.rewrite(safe.begun)
        return True


def _decoded(word: Log) -> bytes:
    if word.offset < 0:
        raise ProtocolError("log.offset is negative.")
    try:
        data = base64.b64decode(word.data, validate=True)
    except ValueError as error:  # also of characters that are no ASCII
        raise ProtocolError("log.data is not base64.") from error
    if len(data) > protocol.LOG_BATCH_BYTES:
        raise ProtocolError(f"A log batch has {protocol.LOG_BATCH_BYTES} bytes at most.")
    return data
