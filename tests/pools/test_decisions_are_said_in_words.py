"""What the autoscaler decided, as a sentence: the need, the limit that bound it, and what there was."""

from typing import Any

import pytest

from pools.models import ScalingDecision

SAID: dict[str, dict[str, Any]] = {
    "No task needs a slot, and no pod holds work: no pod is needed. The minimum makes it 1. It had 0.": {
        "desired": 1,
        "bound": "minimum",
    },
    "1 task needs a slot, and no pod holds work: 1 pod is needed. It had 0.": {"queued": 1, "wanted": 1, "desired": 1},
    "6 tasks need a slot, and 1 slot is free on the one pod with work: 4 pods are needed. "
    "The maximum keeps it at 3. It had 1.": {
        "pinned": 1,
        "free": 1,
        "queued": 6,
        "live": 1,
        "wanted": 4,
        "desired": 3,
        "bound": "maximum",
    },
    "2 tasks need a slot, and no slot is free on the 2 pods with work: 4 pods are needed. "
    "A freeze window is open, in which only pods that hold work stay: 2. It had 3.": {
        "pinned": 2,
        "queued": 2,
        "live": 3,
        "wanted": 4,
        "desired": 2,
        "bound": "frozen",
    },
}


@pytest.mark.parametrize("sentence", SAID)
def test_a_decision_is_a_sentence(sentence: str) -> None:
    nothing = {"pinned": 0, "free": 0, "queued": 0, "live": 0, "wanted": 0, "desired": 0}
    assert ScalingDecision(**{**nothing, **SAID[sentence]}).sentence == sentence
