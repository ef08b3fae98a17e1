"""The arithmetic by example: the incidents, and each limit."""

import pytest

from pools import autoscaler
from pools.autoscaler import Bound, Demand, Limits


@pytest.mark.parametrize(
    ("what", "demand", "limits", "expected"),
    [
        ("nothing to do", (0, 0, 0), (1, 0, 5), (0, 0, Bound.NONE)),
        ("nothing to do, one is kept ready (713)", (0, 0, 0), (1, 1, 5), (0, 1, Bound.MINIMUM)),
        ("the first task after a rest", (0, 0, 1), (1, 0, 5), (1, 1, Bound.NONE)),
        ("two tasks (515)", (0, 0, 2), (1, 0, 5), (2, 2, Bound.NONE)),
        ("one of the two has started (515)", (1, 0, 1), (1, 0, 5), (2, 2, Bound.NONE)),
        ("both have started (515)", (2, 0, 0), (1, 0, 5), (2, 2, Bound.NONE)),
        ("one slot is kept for a plan that waits for its reader", (1, 0, 0), (1, 0, 5), (1, 1, Bound.NONE)),
        ("ten tasks, three slots a pod", (0, 0, 10), (3, 0, 5), (4, 4, Bound.NONE)),
        ("three of them on the first pod", (1, 0, 7), (3, 0, 5), (4, 4, Bound.NONE)),
        ("two of them on the first pod", (1, 1, 8), (3, 0, 5), (4, 4, Bound.NONE)),
        ("a task that fits on a pod at work", (1, 2, 1), (3, 0, 5), (1, 1, Bound.NONE)),
        ("more than the pool may have", (1, 0, 9), (1, 0, 5), (10, 5, Bound.MAXIMUM)),
        ("the maximum was lowered below what works", (4, 0, 1), (1, 0, 2), (5, 4, Bound.MAXIMUM)),
        ("as many at work as a lowered maximum allows no more", (4, 0, 0), (1, 0, 2), (4, 4, Bound.NONE)),
        ("no pods allowed", (0, 0, 3), (1, 0, 0), (3, 0, Bound.MAXIMUM)),
    ],
)
def test_examples(
    what: str, demand: tuple[int, int, int], limits: tuple[int, int, int], expected: tuple[int, int, Bound]
) -> None:
    pinned, free, queued = demand
    slots, minimum, maximum = limits
    verdict = autoscaler.decide(
        Demand(pinned=pinned, free=free, queued=queued), Limits(slots=slots, minimum=minimum, maximum=maximum)
    )
    assert (verdict.wanted, verdict.desired, verdict.bound) == expected, what


def test_a_freeze_window_keeps_what_works_and_nothing_else() -> None:
    frozen = Limits(slots=1, minimum=2, maximum=5, is_frozen=True)
    verdict = autoscaler.decide(Demand(pinned=1, queued=3), frozen)
    assert (verdict.wanted, verdict.desired, verdict.bound) == (4, 1, Bound.FROZEN)
