"""How long to wait before a child is started again."""

from dataclasses import dataclass

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
GOOD_SECONDS = 60.0
"""A child that lived this long is taken as sound: its next pause is the first one again."""


@dataclass
class Backoff:
    """Counts the deaths in a row of one child."""

    deaths: int = 0

    def after(self, lived_seconds: float) -> float:
        """Return the pause in seconds after one more death of a child that lived `lived_seconds`."""
        self.deaths = 1 if lived_seconds >= GOOD_SECONDS else self.deaths + 1
        return float(min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self.deaths - 1, 10)))
