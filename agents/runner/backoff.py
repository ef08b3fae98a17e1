"""How long to wait before the next try: longer each time, and never all agents at once."""

import random
from collections.abc import Iterator

FIRST_SECONDS = 5.0
CAP_SECONDS = 60.0


def delays(first: float = FIRST_SECONDS, cap: float = CAP_SECONDS) -> Iterator[float]:
    """Yield waiting times in seconds without end: each is drawn from zero to a ceiling that doubles up to the cap."""
    ceiling = first
    while True:
        yield random.uniform(0, ceiling)  # noqa: S311 - spreads agents in time, guards nothing
        ceiling = min(cap, ceiling * 2)
