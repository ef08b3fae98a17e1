"""Large states take turns: a process looks into one at a time, since each costs it many times its size."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from iacplatform.base.problems import TryAgain

LARGE_BYTES = 4 * 1024 * 1024
"""Smaller ones wait for nobody."""

PATIENCE_SECONDS = 20.0
"""How long a request waits for the turn."""

RETRY_SECONDS = 5

_turn = Lock()


@contextmanager
def turn(size: int) -> Iterator[None]:
    """Hold the turn while a state of this size is looked into. Raises `TryAgain` where others took too long.

    Whoever takes it has locked no row yet: who waits for the turn keeps nobody waiting.
    """
    if size <= LARGE_BYTES:
        yield
        return
    if not _turn.acquire(timeout=PATIENCE_SECONDS):
        raise TryAgain(
            f"The platform is at work on other large states; of more than {LARGE_BYTES >> 20} MiB it takes one at "
            "a time: try again.",
            after_seconds=RETRY_SECONDS,
        )
    try:
        yield
    finally:
        _turn.release()
