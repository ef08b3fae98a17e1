"""docs/kubernetes.md says of conditions and decisions what the code says."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from pools import autoscaler, sentences
from pools.autoscaler import Demand, Limits
from pools.conditions import MEANINGS, Condition
from pools.models import ScalingDecision

DOCS = Path(settings.BASE_DIR) / "docs/kubernetes.md"
ROW = re.compile(r"^\| `(\w+)` \| (.+) \| (.+) \|$", re.MULTILINE)
DAY = [
    (Demand(), 0, False),
    (Demand(queued=7), 1, False),
    (Demand(pinned=1, queued=5), 3, False),
    (Demand(pinned=1, free=1), 3, False),
    (Demand(pinned=1, free=1), 1, True),
]
"""The example of the page: what is needed, how many pods there are, whether a freeze window is open."""


def test_every_condition_has_its_meaning() -> None:
    assert set(MEANINGS) == set(Condition)


def test_the_page_says_what_the_code_says_of_each_condition() -> None:
    told = {code: (means, remedy) for code, means, remedy in ROW.findall(DOCS.read_text())}
    assert told == {code.value: (MEANINGS[code].means, MEANINGS[code].remedy) for code in Condition}


@pytest.mark.parametrize(("demand", "live", "is_frozen"), DAY)
def test_the_example_of_the_page_is_what_the_autoscaler_decides(demand: Demand, live: int, is_frozen: bool) -> None:
    verdict = autoscaler.decide(demand, Limits(slots=2, minimum=1, maximum=3, is_frozen=is_frozen))
    numbers = {"pinned": demand.pinned, "free": demand.free, "queued": demand.queued, "live": live}
    decision = ScalingDecision(**numbers, wanted=verdict.wanted, desired=verdict.desired, bound=verdict.bound)
    assert f"| {sentences.of(decision)} |" in DOCS.read_text()
