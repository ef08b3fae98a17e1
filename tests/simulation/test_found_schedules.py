"""Schedules that are kept, step by step: chance comes upon them too seldom, or came upon them once and found a fault."""

import pytest

from tests.simulation import planted, schedules
from tests.simulation.processes import NONE, Fault
from tests.simulation.schedules import Step

_PLAN = Step("create", {"number": 0, "task_type": "plan", "by": 0, "fault": NONE})

GIVEN_AWAY = [
    Step("trouble", {"what": "cut", "number": 0, "noticed": False, "applying": 1, "fault": NONE}),
    Step("wait", {"seconds": 61, "swept": True, "served": True, "fault": NONE}),
    Step("connect", {"number": 0, "fault": Fault("committed", 1)}),
    *[_PLAN] * 4,
    Step("connect", {"number": 0, "fault": NONE}),
]
"""An agent is lost in an apply. It comes back, and our process dies before it looks at what the agent still runs."""

pytestmark = pytest.mark.usefixtures("simulated")


def test_a_lost_apply_does_not_get_its_slot_back_once_that_is_given_away() -> None:
    schedules.play(GIVEN_AWAY)


def test_without_the_index_of_slots_it_would() -> None:
    with planted.without("task_per_slot"):
        assert "one slot holds several tasks" in schedules.broken(GIVEN_AWAY)
