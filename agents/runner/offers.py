"""Offers that were accepted and wait for their `Start`: each holds a slot for a while."""

import time

from agents.protocol import Work

START_SECONDS = 30.0
"""How long an accepted offer keeps a slot while `Start` does not come."""


class Offers:
    """What was accepted and is not started yet."""

    def __init__(self) -> None:
        self._until: dict[Work, float] = {}

    def accept(self, work: Work) -> None:
        """Hold a slot for the work; again holds it longer."""
        self._until[work] = time.monotonic() + START_SECONDS

    def close(self, work: Work) -> None:
        """The work was started, or is gone."""
        self._until.pop(work, None)

    def clear(self) -> None:
        """Give up all of it: the connection that it was accepted on is gone."""
        self._until.clear()

    def open(self) -> tuple[Work, ...]:
        """Return the work that still holds a slot."""
        now = time.monotonic()
        self._until = {work: until for work, until in self._until.items() if until > now}
        return tuple(self._until)
