"""What goes wrong with pods, their nodes and their cluster: a plan of its own, made of the seed alone."""

import random
from collections.abc import Mapping, Sequence

from tests.chaos.faults import Fault, drawn
from tests.cluster import faults as of_calls

PAUSE_SECONDS = (2.0, 9.0)

BUSY, OLDEST, NEWEST = "busy", "oldest", "newest"
"""Which pod, at that moment: one with an engine at work, one that applies if there is one; by age."""

PODS = (BUSY, BUSY, OLDEST, NEWEST)
NODES = ("0", "1")
API, LINK, POOL = ("the cluster's API",), ("pods' network",), ("the pool",)

AILMENTS: Mapping[str, Sequence[tuple[str, of_calls.Fault]]] = {
    "api cut": [("", of_calls.Reset())],
    "api hang": [("", of_calls.Hang())],
    "api 500": [("", of_calls.Answer(500))],
    "api 403": [("", of_calls.Answer(403))],
    "api 429": [("", of_calls.Answer(429, retry_after=2))],
    "short lists": [("GET", of_calls.CutOff(0.7))],
    "lost answers": [("POST", of_calls.DropAnswer()), ("DELETE", of_calls.DropAnswer())],
    "nothing made": [("POST", of_calls.Answer(500))],
    "late calls": [("POST", of_calls.Delay(30)), ("DELETE", of_calls.Delay(20))],
}
"""What happens to the calls of a method (empty: to all). `late calls`: carried out when the caller has given up."""

OF_MAKING = ("lost answers", "nothing made", "late calls")
"""A pod goes with them, so that there is one to make."""

KINDS: dict[str, tuple[int, Sequence[str], tuple[float, float]]] = {
    "kill pod": (5, PODS, (0, 0)),
    "delete pod": (3, PODS, (0, 0)),
    "delete pod at once": (3, PODS, (0, 0)),
    "freeze pods": (3, NODES, (5, 20)),
    "lose node": (2, NODES, (3, 18)),
    "crash node": (1, NODES, (2, 10)),
    "pods cut": (2, LINK, (1, 12)),
    "pods stall": (1, LINK, (2, 15)),
    "pods half-open": (1, LINK, (3, 15)),
    **dict.fromkeys(AILMENTS, (1, API, (2, 15))),
    **dict.fromkeys(OF_MAKING, (2, API, (8, 15))),
    "kill api server": (2, API, (0, 6)),
    "shrink pool": (3, POOL, (5, 20)),
}


def planned(seed: int, minutes: float) -> list[Fault]:
    """Return the plan of faults that this seed stands for, in order; the last one has ended after `minutes`."""
    return drawn(random.Random(f"fleet-{seed}"), KINDS, PAUSE_SECONDS, minutes * 60)
