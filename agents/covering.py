"""Sensitive values in a log that comes in: each byte of one becomes a star, so that all offsets stay as they are.

The agent has masked them. Here nobody relies on that: it may be old, or mean harm.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import Subquery

from agents.runner import jobs, variables
from agents.runner.forms import Forms
from iacplatform.base import encryption
from tasks.models import Attempt, LogChunk, TaskInput

MOST_ATTEMPTS = 32
"""Whose values a process remembers; a task's values never change."""

_BYTES = "latin-1"
"""A character for each byte."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Covered:
    """What is stored. `begun`: in place of what was held back; `held`: bytes at the end that may begin a value."""

    begun: bytes
    data: bytes
    held: int


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The stored end of a log that may begin a value. `start`: its offset; `chunks`: the pieces that hold it."""

    data: bytes
    start: int
    chunks: list[LogChunk]

    def rewrite(self, data: bytes) -> None:
        """Store other bytes of the same length in its place."""
        if data == self.data:
            return
        for chunk in self.chunks:
            kept = max(0, self.start - chunk.offset)
            first = max(0, chunk.offset - self.start)
            fresh = data[first : first + len(chunk.data) - kept]
            LogChunk.objects.filter(pk=chunk.pk).update(data=bytes(chunk.data[:kept]) + fresh)


def known(attempt: Attempt) -> Forms:
    """Return what must not stand in the attempt's log: the sensitive values of its task, and its token."""
    return _known(attempt.pk, attempt.offered_at, attempt.token)


def begun(attempt: Attempt) -> Begun:
    """Return what is held back of the log so far."""
    start = attempt.log_stored - attempt.log_held
    if not attempt.log_held:
        return Begun(data=b"", start=start, chunks=[])
    stored = LogChunk.objects.filter(attempt=attempt)
    first = stored.filter(offset__lte=start).order_by("-offset").values("offset")[:1]
    chunks = list(stored.filter(offset__gte=Subquery(first)).order_by("offset"))
    data = b"".join(bytes(chunk.data) for chunk in chunks)[-attempt.log_held :]
    return Begun(data=data, start=start, chunks=chunks)


def cover(forms: Forms, begun: bytes, data: bytes, *, is_last: bool = False) -> Covered:
    """Return the next bytes of a log, after those that were held back, with the values in both covered.

    What is held back is left as it is, or a longer value around a shorter one would not be known any more when the rest
    of it comes. `is_last`: nothing comes, so that nothing is held back.
    """
    text = (begun + data).decode(_BYTES)
    spans = forms.spans(text)
    settled = len(text) if is_last else forms.settled(text, spans)
    safe = bytearray(begun + data)
    for span in spans:
        if span.stop <= settled:
            safe[span.start : span.stop] = b"*" * len(span)
    return Covered(begun=bytes(safe[: len(begun)]), data=bytes(safe[len(begun) :]), held=len(text) - settled)


@lru_cache(maxsize=MOST_ATTEMPTS)
def _known(attempt_id: int, offered_at: datetime, token: str) -> Forms:
    values = variables.sensitive_values(jobs.Variable(**row) for row in _given(attempt_id))
    return Forms([*values, token], as_bytes=True)


def _given(attempt_id: int) -> list[dict[str, Any]]:
    given = TaskInput.objects.filter(task__attempts=attempt_id).first()
    try:
        return [] if given is None else list(json.loads(given.variables()))
    except encryption.Unreadable as error:
        log.error("A log is stored as its agent masked it: %s", error, extra={"attempt": attempt_id})
        return []
