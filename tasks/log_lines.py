"""The lines of an attempt's log as people read them, each with the time at which the server had it."""

import re
from dataclasses import dataclass
from datetime import datetime

from tasks.models import Attempt, LogChunk

MOST_BYTES = 4 * 1024 * 1024
"""Of a log's end that are looked at."""

END_BYTES = 128 * 1024
"""Of a log's end in which its last line is looked for: two of the largest pieces."""

MOST_CHARACTERS = 2000
"""Of one line."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line without colour codes."""

    text: str
    at: datetime


def of(attempt: Attempt, *, most_bytes: int = MOST_BYTES) -> list[Line]:
    """Return the lines at the log's end; the first one may lack its beginning."""
    chunks = LogChunk.objects.filter(attempt=attempt, offset__gte=max(0, attempt.log_stored - most_bytes))
    lines: list[Line] = []
    rest, at = b"", None
    for offset, data, at in chunks.order_by("offset").values_list("offset", "data", "at"):
        *whole, rest = (rest + attempt.shown(offset, bytes(data))).split(b"\n")
        lines += [Line(text=_plain(text), at=at) for text in whole]
    return lines if at is None or not rest else [*lines, Line(text=_plain(rest), at=at)]


def last(attempt: Attempt) -> Line | None:
    """Return the last line that says something."""
    return next((line for line in reversed(of(attempt, most_bytes=END_BYTES)) if line.text), None)


def _plain(data: bytes) -> str:
    text = data.decode(errors="replace").replace("\0", "\ufffd")  # which no column of texts takes
    return _COLOURS.sub("", text).strip()[:MOST_CHARACTERS]
