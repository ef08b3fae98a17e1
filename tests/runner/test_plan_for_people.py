"""A plan's readable text and its stored JSON, without sensitive values."""

import json
from typing import Any

from agents.runner import redaction, rendering

CHANGE = {
    "actions": ["update"],
    "before": {"name": "old", "password": "hidden-one", "tags": {"a": 1, "secret": "hidden-two"}, "same": 1},
    "after": {"name": "new", "password": "hidden-three", "tags": {"a": 2, "secret": "hidden-two"}, "same": 1},
    "after_unknown": {"id": True},
    "before_sensitive": {"password": True, "tags": {"secret": True}},
    "after_sensitive": {"password": True, "tags": {"secret": True}},
    "replace_paths": [["name"]],
}
PLAN: dict[str, Any] = {
    "variables": {"token": {"value": "hidden-four"}, "size": {"value": "3"}},
    "configuration": {"root_module": {"variables": {"token": {"sensitive": True}, "size": {}}}},
    "planned_values": {
        "outputs": {"o": {"sensitive": True, "value": "hidden-five"}},
        "root_module": {
            "child_modules": [
                {"resources": [{"values": {"list": ["x", "hidden-six"]}, "sensitive_values": {"list": [False, True]}}]}
            ]
        },
    },
    "resource_changes": [{"address": "a.b", "change": CHANGE}, {"address": "a.c", "change": {"actions": ["no-op"]}}],
    "output_changes": {
        "o": {"actions": ["create"], "before": None, "after": "hidden-five", "after_sensitive": True},
        "n": {"actions": ["update"], "before": 1, "after": 2},
    },
}


def test_the_text_says_what_changes_and_hides_what_is_sensitive() -> None:
    assert rendering.plan(PLAN).splitlines() == [
        "",
        "The plan:",
        "",
        "  ~ a.b will be updated in place",
        "      + id = (known after apply)",
        '      ~ name = "old" -> "new" (forces replacement)',
        "      ~ password = (sensitive value) -> (sensitive value)",
        '      ~ tags = {"a": 1, "secret": (sensitive value)} -> {"a": 2, "secret": (sensitive value)}',
        "",
        "Outputs:",
        "  ~ n = 1 -> 2",
        "  + o = (sensitive value)",
    ]


def test_a_sensitive_value_that_is_new_or_goes_is_not_told_as_changed() -> None:
    both = {"before_sensitive": True, "after_sensitive": True}  # as terraform 1.11 has it, whichever of them there is
    outputs = {
        "gone": {"actions": ["delete"], "before": "hidden", "after": None, **both},
        "made": {"actions": ["create"], "before": None, "after": "hidden", **both},
        "soon": {"actions": ["create"], "before": None, "after_unknown": True, **both},
    }
    columns = {"before": {"a": None, "b": "hidden", "c": None}, "after": {"a": "hidden", "b": None, "c": None}}
    marks = {name: {"a": True, "b": True, "c": True} for name in ("before_sensitive", "after_sensitive")}
    change = {"actions": ["update"], **columns, **marks}
    plan = {"resource_changes": [{"address": "a.b", "change": change}], "output_changes": outputs}
    assert rendering.plan(plan).splitlines()[3:] == [
        "  ~ a.b will be updated in place",
        "      + a = (sensitive value)",
        "      - b = (sensitive value)",
        "",
        "Outputs:",
        "  - gone = (sensitive value)",
        "  + made = (sensitive value)",
        "  + soon = (sensitive value)",
    ]


def test_of_what_is_sensitive_as_a_whole_no_attribute_is_told() -> None:
    sides = {"before": {"a": "hidden"}, "after": {"a": "hidden too"}, "before_sensitive": True, "after_sensitive": True}
    plan = {"resource_changes": [{"address": "a.b", "change": {"actions": ["update"], **sides}}]}
    assert rendering.plan(plan).splitlines()[3:] == ["  ~ a.b will be updated in place"]


def test_a_plan_without_changes_says_so() -> None:
    assert rendering.plan({}) == "\nThe plan changes nothing.\n"


def test_replacing_destroying_and_moving_are_told_apart() -> None:
    changes = [
        {"address": "a.r", "change": {"actions": ["delete", "create"], "before": {}, "after": {}}},
        {"address": "a.d", "change": {"actions": ["delete"], "before": {"x": 1}, "after": None}},
        {"address": "a.m", "previous_address": "a.old", "change": {"actions": ["no-op"], "before": {}, "after": {}}},
    ]
    text = rendering.plan({"resource_changes": changes})
    assert "-/+ a.r must be replaced" in text
    assert "  - a.d will be destroyed\n      - x = 1" in text
    assert "  ~ a.m  (was a.old)" in text


def test_a_huge_plan_is_cut() -> None:
    change = {"actions": ["create"], "before": None, "after": {f"k{number}": number for number in range(9000)}}
    lines = rendering.plan({"resource_changes": [{"address": "a.b", "change": change}]}).splitlines()
    assert len(lines) < rendering.LINES + 5
    assert "more lines are in the plan's JSON" in lines[-1]


def test_no_sensitive_value_is_in_the_stored_json() -> None:
    redacted = json.dumps(redaction.plan(PLAN, lambda text: text.replace("3", "three")))
    assert "hidden" not in redacted
    assert '"size": {"value": "three"}' in redacted
    assert json.loads(redacted)["resource_changes"][0]["change"]["after"]["name"] == "new"
