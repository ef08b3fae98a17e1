"""What schedules about pods are drawn from: all that happens without them, and what happens to them."""

from tests.simulation.fleet.machine import FleetPlatform
from tests.simulation.schedules import COMMON, VERBS, Kind, of

_HAPPENINGS = [
    *["run"] * 9,
    "silent",
    "crash",
    "succeed",
    "image",
    "unschedulable",
    "vanish",
    "replace",
    "lose",
    "lose",
]
_CALLS = ("", "pods", "create_pod", "create_secret", "delete_pod", "annotate")
_AILMENTS = ["", "", "", "unreachable", "throttled", "denied", "quota", "lost answer"]

FLEET = Kind(
    {
        **VERBS,
        "wait": (16, VERBS["wait"][1]),
        "node": (16, {**COMMON, "what": of(*_HAPPENINGS)}),
        "stranger": (2, {"what": of("foreign", "similar", "orphan", "forgotten"), "number": of(*range(12))}),
        "api": (4, {"what": of(*_AILMENTS), "on": of(*_CALLS)}),
        "pool": (
            4,
            {"what": of("max", "min", "freeze", "thaw", "image", "unfreeze", "retry"), "number": of(*range(12))},
        ),
        "move": (2, COMMON),
    },
    FleetPlatform,
    option="PODS=1",
)
