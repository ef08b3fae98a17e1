"""How many pods a pool should have: arithmetic only.

Starting a task changes nothing (incident 515): its slot leaves `queued` and `free` together, or its pod moves from the
idle ones to the pinned ones. From that follows as well that a pool with anything to do and a maximum has a pod (713).
"""

from dataclasses import dataclass
from enum import StrEnum


class Bound(StrEnum):
    """The limit that made `desired` another number than `wanted`."""

    NONE = ""
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    FROZEN = "frozen"
    """A freeze window is open: only pods that hold a lease stay."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """All of it now, all >= 0. `pinned`: pods that hold a lease; `free`: free slots on them; `queued`: tasks that need
    a slot."""

    pinned: int = 0
    free: int = 0
    queued: int = 0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a pool may have. `slots`: of each new pod, >= 1; `minimum` and `maximum`: pods, minimum <= maximum."""

    slots: int
    minimum: int
    maximum: int
    is_frozen: bool = False


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`wanted`: pods before any limit; `desired`: pods that the pool should have; `bound`: what made the difference."""

    wanted: int
    desired: int
    bound: Bound


def decide(demand: Demand, limits: Limits) -> Verdict:
    """Return how many pods the pool should have.

    Never fewer than hold a lease: a maximum that was lowered, or a freeze window, ends nobody's work (incident 601).
    """
    wanted = demand.pinned + _pods_for(max(0, demand.queued - demand.free), limits.slots)
    desired = demand.pinned if limits.is_frozen else max(demand.pinned, _clamp(wanted, limits))
    return Verdict(wanted=wanted, desired=desired, bound=_bound(wanted, desired, limits))


def _pods_for(tasks: int, slots: int) -> int:
    return -(-tasks // slots)


def _clamp(wanted: int, limits: Limits) -> int:
    return min(max(wanted, limits.minimum), limits.maximum)


def _bound(wanted: int, desired: int, limits: Limits) -> Bound:
    if limits.is_frozen:
        return Bound.FROZEN
    if desired == wanted:
        return Bound.NONE
    return Bound.MINIMUM if desired > wanted else Bound.MAXIMUM
