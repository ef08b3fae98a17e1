"""What the autoscaler decided, in words."""

from typing import Protocol

from pools.autoscaler import Bound


class Decided(Protocol):
    """The numbers of a decision, and the limit that bound it."""

    pinned: int
    free: int
    queued: int
    live: int
    wanted: int
    desired: int
    bound: str


def of(decided: Decided) -> str:
    """Return why the pool should have so many pods."""
    needed = f"{_need(decided)}: {_pods(decided.wanted)} needed."
    limit = _LIMITS.get(decided.bound, "").format(decided.desired)
    return " ".join(filter(None, [needed, limit, f"It had {decided.live}."]))


_LIMITS: dict[str, str] = {
    Bound.MINIMUM: "The minimum makes it {}.",
    Bound.MAXIMUM: "The maximum keeps it at {}.",
    Bound.FROZEN: "A freeze window is open, in which only pods that hold work stay: {}.",
}


def _need(decided: Decided) -> str:
    return f"{_tasks(decided.queued)} a slot, and {_holding(decided.pinned, decided.free)}"


def _tasks(queued: int) -> str:
    return "No task needs" if queued == 0 else "1 task needs" if queued == 1 else f"{queued} tasks need"


def _holding(pinned: int, free: int) -> str:
    if pinned == 0:
        return "no pod holds work"
    slots = "no slot" if free == 0 else "1 slot" if free == 1 else f"{free} slots"
    return (
        f"{slots} {'are' if free > 1 else 'is'} free on the {'one pod' if pinned == 1 else f'{pinned} pods'} with work"
    )


def _pods(wanted: int) -> str:
    return "no pod is" if wanted == 0 else "1 pod is" if wanted == 1 else f"{wanted} pods are"
