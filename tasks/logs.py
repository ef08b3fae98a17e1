"""A task's log: the bytes of one attempt, as the agent sent them, in pieces to page through or to follow."""

from dataclasses import dataclass

from tasks.models import Attempt, LogChunk, Task

MOST_BYTES = 1024 * 1024
"""Of one piece."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Bytes from an offset on. `next_offset`: where to go on; `is_complete`: nothing follows, but for late evidence.

    `log_bytes`: of the whole log so far.
    """

    data: bytes
    next_offset: int
    is_complete: bool
    attempt: int
    log_bytes: int = 0


def read(task: Task, *, phase: str, offset: int = 0, number: int | None = None, most: int = MOST_BYTES) -> Piece:
    """Return a piece of the log of the phase's newest attempt, or of its attempt `number`; empty where it has none."""
    attempt = _attempt(task, phase, number)
    if attempt is None:
        return Piece(data=b"", next_offset=0, is_complete=task.is_final, attempt=0)
    data = _bytes(attempt, offset, most)
    following = min(offset, attempt.log_shown) + len(data)
    ended = attempt.is_log_whole and following >= attempt.log_shown
    return Piece(
        data=data, next_offset=following, is_complete=ended, attempt=attempt.number, log_bytes=attempt.log_shown
    )


def _attempt(task: Task, phase: str, number: int | None) -> Attempt | None:
    # An offer that nobody accepted has the number of the attempt that followed it, and no log.
    begun = Attempt.objects.filter(task=task, phase=phase, accepted_at__isnull=False)
    return (begun if number is None else begun.filter(number=number)).order_by("-epoch").first()


def _bytes(attempt: Attempt, offset: int, most: int) -> bytes:
    most = max(0, min(most, attempt.log_shown - offset))
    chunks = LogChunk.objects.filter(attempt=attempt)
    holding = chunks.filter(offset__lte=offset).order_by("-offset").values_list("offset", flat=True).first()
    if holding is None:
        return b""
    wanted = chunks.filter(offset__gte=holding, offset__lt=offset + most).order_by("offset")
    joined = b"".join(bytes(data) for data in wanted.values_list("data", flat=True))
    return attempt.shown(offset, joined[offset - holding :][:most])
