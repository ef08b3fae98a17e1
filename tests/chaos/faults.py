"""What goes wrong, when, to whom and for how long: a plan made of the seed alone, so that a seed replays it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos import cast

PAUSE_SECONDS = (1.0, 6.0)

BUSY = "busy"
"""An agent with an engine at work, one that applies if there is one, whoever that is then."""

DOORS = (*cast.FAKES, cast.PEOPLE, *(f"{name} to database" for name in cast.SERVERS))
"""A real engine on a half-open link would wait for its kernel to give up for a quarter of an hour: see `_LINKS`."""

_LINKS = (*DOORS, *cast.REALS)

KINDS: dict[str, tuple[int, Sequence[str], tuple[float, float]]] = {
    "kill": (6, (*cast.AGENTS, *[BUSY] * 8), (0, 0)),
    "switch off": (3, (*cast.AGENTS, *[BUSY] * 8), (0, 0)),
    "kill engine": (3, (BUSY,), (0, 0)),
    "kill server": (4, cast.SERVERS, (0, 0)),
    "stop": (3, (*cast.AGENTS, *cast.SERVERS), (0, 0)),
    "freeze": (6, (*cast.AGENTS, *[BUSY] * 4, *cast.SERVERS), (5, 20)),
    "kill database": (1, ("database",), (0, 0)),
    "restart database": (1, ("database",), (0, 0)),
    "cut": (5, _LINKS, (1, 12)),
    "stall": (3, _LINKS, (2, 15)),
    "half-open": (4, DOORS, (3, 15)),
}
"""Of each kind: how often, to whom, for how many seconds. `kill server`: of a web server or a worker."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`at`: seconds from the beginning; `seconds`: how long it lasts."""

    at: float
    kind: str
    target: str
    seconds: float

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:6.1f} s: {self.kind} {self.target}{lasting}"


Kinds = Mapping[str, tuple[int, Sequence[str], tuple[float, float]]]


def planned(seed: int, minutes: float) -> list[Fault]:
    """Return the plan of faults that this seed stands for, in order; the last one has ended after `minutes`."""
    return drawn(random.Random(f"faults-{seed}"), KINDS, PAUSE_SECONDS, minutes * 60)


def drawn(chance: random.Random, kinds: Kinds, pause: tuple[float, float], end: float) -> list[Fault]:
    """Return faults of these kinds, with pauses of so many seconds between their beginnings."""
    at, faults = chance.uniform(*pause), []
    while at < end:
        faults.append(_fault(chance, kinds, at, end))
        at += chance.uniform(*pause)
    return faults


def _fault(chance: random.Random, kinds: Kinds, at: float, end: float) -> Fault:
    kind = chance.choices(list(kinds), [often for often, _, _ in kinds.values()])[0]
    _, targets, span = kinds[kind]
    target = chance.choice(targets)
    return Fault(at=at, kind=kind, target=target, seconds=min(chance.uniform(*span), end - at))
