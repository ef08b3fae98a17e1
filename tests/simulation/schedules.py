"""Schedules of steps, drawn by chance from a seed: the same seed, the same steps, whatever comes of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from tasks.states import TaskType
from tests.simulation.machine import Platform
from tests.simulation.processes import Fault

Draw = Callable[[Random], Any]
FAILURES = (Exception, pytest.fail.Exception)

_KINDS = ["deaf", "deaf", "killed", "killed", "committed", "committed", "sweep", "late sweep"]
_NUMBER = range(12)
_LOCKS = ["lock", "unlock", "unlock", "lock_state", "unlock_state", "unlock_state"]
_LANDS = [*_LOCKS, "upload_state", "upload_state", "upload_state", "local", "side", "nowhere"]


@dataclass(frozen=True)
class Step:
    """A step of a schedule, by the name of its verb."""

    name: str
    how: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f'Step("{self.name}", {self.how}),'


def of(*choices: Any) -> Draw:
    """Return what draws one of these."""
    return lambda chance: chance.choice(choices)


def _fault(chance: Random) -> Fault:
    if chance.random() < 2 / 3:
        return Fault("", 1)
    kind = chance.choice(_KINDS)
    return Fault(kind, chance.randint(1, 4 if kind == "committed" else 40))


COMMON: dict[str, Draw] = {"number": of(*_NUMBER), "fault": _fault}
_BY_PEOPLE: dict[str, Draw] = {**COMMON, "by": of(0, 1)}
_BUTTONS = of("discard", "cancel", "cancel", "force_cancel", "retry", "retry", "mark_failed", "release_lock")

VERBS: dict[str, tuple[int, dict[str, Draw]]] = {
    "create": (4, {**_BY_PEOPLE, "task_type": of(*TaskType.values)}),
    "confirm": (6, {**_BY_PEOPLE, "what": of("shown", "shown", "twice", "read", "as read")}),
    "press": (4, {**_BY_PEOPLE, "button": _BUTTONS, "anywhere": of(True, False)}),
    "meddle": (5, {**_BY_PEOPLE, "what": of(*_LANDS)}),
    "go_on": (8, {**COMMON, "how": of(*["well"] * 4, "unchanged", "failed", "killed", "stale"), "times": of(1, 2, 3)}),
    "work": (3, {"rounds": of(1, 2, 3)}),
    "trouble": (
        5,
        {
            **COMMON,
            "what": of("die", "die", "cut", "leave", "dawdle"),
            "noticed": of(True, False),
            "applying": of(0, 1),
        },
    ),
    "connect": (4, COMMON),
    "frames": (
        4,
        {**COMMON, "what": of("slow", "slow", "late", "late", "late twice", "again", "anew", "result again")},
    ),
    "wait": (
        7,
        {
            "seconds": of(1, 6, 11, 11, 31, 61, 61, 20000),
            "swept": of(True, True, False),
            "served": of(True, True, False),
            "fault": _fault,
        },
    ),
    "stall": (1, {}),
}
"""Of each verb, how often it is drawn, and how its arguments are."""


@dataclass(frozen=True)
class Kind:
    """What schedules are about: the verbs that are drawn, and who has them. `option`: of `make simulate`."""

    verbs: Mapping[str, tuple[int, dict[str, Draw]]]
    platform: Callable[[], Platform]
    option: str = ""


PLAIN = Kind(VERBS, Platform)


def drawn(seed: int, steps: int, kind: Kind = PLAIN) -> list[Step]:
    """Return the steps of this seed."""
    chance, verbs = Random(seed), kind.verbs
    names = chance.choices(list(verbs), [weight for weight, _ in verbs.values()], k=steps)
    return [Step(name, {what: draw(chance) for what, draw in verbs[name][1].items()}) for name in names]


def play(steps: Sequence[Step], kind: Kind = PLAIN) -> None:
    """Do the steps, check every promise after each, then repair everything and see it come to rest."""
    platform = kind.platform()
    with platform.life.lived():
        for step in steps:
            getattr(platform, step.name)(**step.how)
            platform.life.check()
        platform.life.come_to_rest()


def broken(steps: Sequence[Step], kind: Kind = PLAIN) -> str:
    """Return the sentence of the promise that the steps break; empty: none."""
    try:
        play(steps, kind)
    except FAILURES as found:
        return str(found).partition("\n")[0] or type(found).__name__
    return ""


def shrunk(steps: Sequence[Step], kind: Kind = PLAIN) -> list[Step]:
    """Return as few of the steps as still break a promise: pieces are left out, from halves down to single steps."""
    left, size = list(steps), len(steps) // 2
    while size:
        for begin in range(len(left) - size, -1, -size):
            fewer = left[:begin] + left[begin + size :]
            if broken(fewer, kind):
                left = fewer
        size //= 2
    return left
