"""The end of a log and what is added to it: whole lines, coloured, with the offset to go on from."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from iacplatform.console import sgr
from tasks import logs
from tasks.models import Attempt, Task

FIRST_BYTES = 256 * 1024
"""Of a long log the page shows the end; the whole is a link away."""
MOST_BYTES = 256 * 1024
"""Of what is added at once."""
FAR_BYTES = 4 * MOST_BYTES
"""A page that is farther behind goes on at the end: it would never catch up with a fast log."""


@dataclass(frozen=True, kw_only=True)
class Tail:
    """A piece of the log of one phase. `is_new`: of another attempt than the page shows; it replaces that."""

    phase: str
    lines: SafeString
    offset: int
    attempt: int
    is_followed: bool
    is_new: bool = False
    skipped: int = 0  # bytes before the piece that the page leaves out


def first(task: Task, phase: str, attempts: list[Attempt]) -> Tail:
    """Return the end of the phase's log as the page begins with it. `attempts`: of the task, oldest first."""
    shown = next((each.log_shown for each in reversed(attempts) if each.phase == phase and each.accepted_at), 0)
    return _tail(task, phase, offset=max(0, shown - FIRST_BYTES), most=FIRST_BYTES)


def following(task: Task, phase: str, *, attempt: int, offset: int) -> Tail | None:
    """Return what came after `offset`, or None while there is nothing new; of another attempt the end."""
    piece = logs.read(task, phase=phase, offset=offset, most=MOST_BYTES)
    if piece.attempt != attempt or piece.log_bytes - offset > FAR_BYTES:
        return _tail(task, phase, offset=max(0, piece.log_bytes - FIRST_BYTES), most=FIRST_BYTES, is_new=True)
    tail = _shown(task, phase, piece, offset=offset, most=MOST_BYTES)
    return None if tail.offset == offset and tail.is_followed else tail


def _tail(task: Task, phase: str, *, offset: int, most: int, is_new: bool = False) -> Tail:
    return _shown(task, phase, logs.read(task, phase=phase, offset=offset, most=most), offset, most, is_new=is_new)


def _shown(task: Task, phase: str, piece: logs.Piece, offset: int, most: int, *, is_new: bool = False) -> Tail:
    ends = piece.is_complete or len(piece.data) >= most
    data = piece.data if ends else piece.data[: piece.data.rfind(b"\n") + 1]
    return Tail(
        phase=phase,
        lines=sgr.lines(data.decode(errors="replace")),
        offset=offset + len(data) if piece.attempt else 0,
        attempt=piece.attempt,
        is_followed=not (task.is_final and piece.is_complete),
        is_new=is_new,
        skipped=offset,
    )
