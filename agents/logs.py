"""What an engine says, as agents send it: pieces with an offset, stored without gap or repetition."""

import base64

from django.db import transaction
from django.db.models import F

from agents import protocol
from agents.protocol import Log, ProtocolError
from tasks.errors import StaleEpoch
from tasks.models import Attempt, LogChunk


def store(agent_id: str, word: Log) -> int:
    """Store what follows on what is stored; return how many bytes that is then, from where the agent goes on.

    Raises `StaleEpoch` for an attempt that is not the agent's current one, `ProtocolError` for what is no piece of log.
    """
    data = _decoded(word)
    mine = Attempt.objects.filter(task_id=word.task, epoch=word.epoch, agent_id=agent_id, task__epoch=word.epoch)
    attempt = mine.first()
    if attempt is None:
        raise StaleEpoch(f"Attempt {word.epoch} of task {word.task} is not this agent's current one.")
    fresh = data[attempt.log_stored - word.offset :] if word.offset <= attempt.log_stored else b""
    return _append(attempt, fresh) if fresh else attempt.log_stored


def _append(attempt: Attempt, data: bytes) -> int:
    """Return how much of the log is stored afterwards: by us, or by somebody who was faster."""
    with transaction.atomic():
        untouched = Attempt.objects.filter(pk=attempt.pk, log_stored=attempt.log_stored)
        if untouched.update(log_stored=F("log_stored") + len(data)):
            LogChunk.objects.create(attempt=attempt, offset=attempt.log_stored, data=data)
            return attempt.log_stored + len(data)
    attempt.refresh_from_db(fields=["log_stored"])
    return attempt.log_stored


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
