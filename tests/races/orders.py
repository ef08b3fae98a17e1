"""Every order in which sessions can do their steps, by replay: a prefix of choices, then whoever is left.

Depth first. Orders that differ only in steps of which neither could notice the other lead to the same end, and one of
them is enough. So another choice is tried at a point where, of an order that was gone through, two steps met that do
not commute and that nothing between them keeps in this order (races); and what was tried at a point sleeps until
somebody does a step that it could notice (sleep sets). Both are dynamic partial-order reduction: Flanagan and
Godefroid, POPL 2005; Abdulla et al., POPL 2014. `reduce=False` tries every choice at every point.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.races.footprints import Footprint
from tests.races.sessions import Action, Stage, Step

Make = Callable[[], dict[str, Action]]
Prepare = Callable[[], None]
Steps = dict[str, Step]


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order that was gone through. `is_deadlock`: in the end each of them waited for another."""

    choices: list[str]
    texts: list[str]
    answers: dict[str, Any]
    is_deadlock: bool = False

    def __str__(self) -> str:
        return "\n".join(f"{name:>10}: {text[:160]}" for name, text in zip(self.choices, self.texts, strict=True))


@dataclass
class _Point:
    """A point at which somebody is chosen: who is worth it, and who was already, the newest last."""

    steps: Steps
    asleep: frozenset[str]
    worth: set[str]
    tried: list[str] = field(default_factory=list)

    @property
    def choice(self) -> str:
        return self.tried[-1]

    @property
    def done(self) -> Footprint:
        """What the chosen step touches."""
        return self.steps[self.choice].touches

    def choose(self) -> bool:
        """Choose somebody who was not; return False where nobody is left."""
        left = [name for name in self.steps if name in self.worth - self.asleep and name not in self.tried]
        self.tried += left[:1]
        return bool(left)

    def asleep_after(self) -> frozenset[str]:
        """Return who need not be chosen next, because they were tried here and the choice does not touch them."""
        others = self.asleep.union(self.tried) - {self.choice}
        return frozenset(name for name in others if self.steps[name].touches.commutes_with(self.done))


_Extend = Callable[[list[_Point], Steps], _Point]
"""Says, of a point that nobody was at yet, who is worth choosing there."""


def every(make: Make, prepare: Prepare, *, reduce: bool = True) -> Iterator[Order]:
    """Yield each order of the actions that `make` returns; `prepare` makes the rows ready before each."""
    path: list[_Point] = []
    with _stage(make) as stage:
        while True:
            prepare()
            order = _go_through(stage, make(), path, _awake if reduce else _anybody)
            if order is not None:
                yield order
            _note_races(path)
            while path and not path[-1].choose():
                path.pop()
            if not path:
                return


def some(make: Make, prepare: Prepare, *, count: int, seed: int) -> Iterator[Order]:
    """Yield so many orders in which everybody who goes on was drawn; the same ones for the same seed."""
    lots = Random(seed)
    with _stage(make) as stage:
        for _ in range(count):
            prepare()
            order = _go_through(stage, make(), [], lambda path, steps: _drawn(lots, steps))
            assert order is not None
            yield order


@contextmanager
def _stage(make: Make) -> Iterator[Stage]:
    stage = Stage(list(make()))
    try:
        yield stage
    finally:
        stage.abandon()
        stage.end()


def _go_through(stage: Stage, actions: dict[str, Action], path: list[_Point], extend: _Extend) -> Order | None:
    """Do what `path` says and go on to an end, which it says then; None where another order has shown the rest."""
    stage.begin(actions)
    texts: list[str] = []
    while steps := stage.steps():
        if len(texts) == len(path):
            path.append(extend(path, steps))
            if not path[-1].choose():
                path.pop()
                stage.abandon()
                return None
        point = path[len(texts)]
        assert point.steps == steps, f"the same choices led to other steps:\n{point.steps}\n{steps}"
        texts.append(steps[point.choice].text)
        stage.go(point.choice)
    assert len(texts) == len(path), f"the same choices led to an earlier end: {texts}"
    is_deadlock = bool(stage.waiting())
    stage.abandon()
    return Order(choices=[at.choice for at in path], texts=texts, answers=stage.answers(), is_deadlock=is_deadlock)


def _awake(path: list[_Point], steps: Steps) -> _Point:
    """Go on with the first who does not sleep."""
    asleep = path[-1].asleep_after() if path else frozenset[str]()
    awake = [name for name in steps if name not in asleep]
    return _Point(steps, asleep, set(awake[:1]))


def _anybody(path: list[_Point], steps: Steps) -> _Point:
    return _Point(steps, frozenset(), set(steps))


def _drawn(lots: Random, steps: Steps) -> _Point:
    return _Point(steps, frozenset(), {lots.choice(list(steps))})


def _note_races(path: list[_Point]) -> None:
    """Where two steps could have come the other way round, make it worth while to try that."""
    earlier: list[set[int]] = []
    for later, point in enumerate(path):
        before: set[int] = set()
        for each in reversed(range(later)):
            if each in before or not _are_bound(path[each], point):
                continue
            if path[each].choice != point.choice:
                # Whoever waits for a lock there cannot be chosen; of others it is not known who leads to the step.
                path[each].worth |= {point.choice} if point.choice in path[each].steps else path[each].steps.keys()
            before |= {each} | earlier[each]
        earlier.append(before)


def _are_bound(one: _Point, other: _Point) -> bool:
    return one.choice == other.choice or not one.done.commutes_with(other.done)
