"""The plan's JSON without its sensitive values: what the server stores and people may read.

Terraform says in maps beside the values what is sensitive (`after_sensitive`, `sensitive_values`); a map is `true`, or
has the shape of its value as far as something in it is.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.runner.diagnostics import SENSITIVE


def plan(members: Mapping[str, Any], mask: Callable[[str], str]) -> Any:
    """Return a plan (`show -json`) with sensitive values replaced, and `mask` applied to all text that is left."""
    variables = _declared_sensitive(members)
    redacted = {key: _section(key, value, variables) for key, value in members.items()}
    return _masked(redacted, mask)


def value(plain: Any, marks: Any) -> Any:
    """Return a value with what its map marks as sensitive replaced."""
    if marks is True:
        return SENSITIVE
    if isinstance(plain, dict) and isinstance(marks, dict):
        return {key: value(item, marks.get(key)) for key, item in plain.items()}
    if isinstance(plain, list) and isinstance(marks, list):
        padded = [*marks, *[None] * (len(plain) - len(marks))]
        return [value(item, mark) for item, mark in zip(plain, padded, strict=False)]
    return plain


def _section(key: str, section: Any, variables: set[str]) -> Any:
    if key == "variables":
        return {name: {"value": SENSITIVE} if name in variables else item for name, item in section.items()}
    if key in ("resource_changes", "resource_drift"):
        return [change | {"change": _change(change["change"])} for change in section]
    if key == "output_changes":
        return {name: _change(change) for name, change in section.items()}
    if key in ("planned_values", "prior_state"):
        return _values(section)
    return section


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    sides = {
        side: value(change.get(side), change.get(f"{side}_sensitive")) for side in ("before", "after") if side in change
    }
    return {**change, **sides}


def _values(node: Any) -> Any:
    """Return a tree of modules with resources and outputs, as in `planned_values` and `prior_state`."""
    if isinstance(node, list):
        return [_values(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "sensitive_values" in node and "values" in node:
        return node | {"values": value(node["values"], node["sensitive_values"])}
    if node.get("sensitive") is True and "value" in node:
        return node | {"value": SENSITIVE}
    return {key: _values(item) for key, item in node.items()}


def _declared_sensitive(members: Mapping[str, Any]) -> set[str]:
    declared = members.get("configuration", {}).get("root_module", {}).get("variables", {})
    return {name for name, variable in declared.items() if variable.get("sensitive")}


def _masked(node: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(node, str):
        return mask(node)
    if isinstance(node, list):
        return [_masked(item, mask) for item in node]
    if isinstance(node, dict):
        return {mask(key): _masked(item, mask) for key, item in node.items()}
    return node
