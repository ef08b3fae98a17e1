"""Waiting for what other processes do: always for a condition, never longer than a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

LOOK_SECONDS = 0.05

Seen = TypeVar("Seen")


class TooLate(AssertionError):
    """The condition did not come true in time; the message says what was seen last."""


def until(what: str, look: Callable[[], Seen | None], *, seconds: float = 30.0) -> Seen:
    """Return the first answer of `look` that counts as true; `what` says in words what is waited for."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise TooLate(f"not within {seconds:g} s: {what}; seen last: {seen!r}")
        time.sleep(LOOK_SECONDS)
    return seen
