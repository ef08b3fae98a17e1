"""A plan's JSON (`terraform show -json`) without what is sensitive: for people, and for programs that are not agents.

Terraform marks values by maps that stand beside them, and outputs and variables by a flag. It does not mark the values
of input variables at all, nor what only the platform knows to be sensitive; and what it marks in one place may stand
plain in another (the configuration's constants). So values are hidden where they are marked, and then wherever they
occur again.
The shape is described at https://developer.hashicorp.com/terraform/internals/json-format.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import zip_longest
from typing import Any

MASK = "(sensitive value)"
SHORTEST = 6
"""Shorter texts are not looked for elsewhere: hiding every "on" or "80" would hide the plan."""

_MARKED = (
    ("before", "before_sensitive"),
    ("after", "after_sensitive"),
    ("values", "sensitive_values"),
    ("config_values", "config_sensitive"),
)
_FLAGGED = ("value", "default")


def masked(plan: dict[str, Any], *, secrets: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the plan with every sensitive value replaced by `MASK`; null stays null.

    `secrets`: values of the input variables that the platform keeps as sensitive, by key.
    """
    known = secrets or {}
    hidden: set[str] = set()
    shown = _walk(_without_variables(plan, set(known), hidden), hidden)
    scrubbed: dict[str, Any] = _Net(hidden, known.values()).scrub(shown)
    return scrubbed


def _without_variables(plan: dict[str, Any], names: Collection[str], hidden: set[str]) -> dict[str, Any]:
    declared = plan.get("configuration", {}).get("root_module", {}).get("variables", {})
    variables = {
        name: _hide_each(held, hidden) if name in names or _is_flagged(declared.get(name)) else held
        for name, held in plan.get("variables", {}).items()
    }
    return {**plan, "variables": variables} if "variables" in plan else plan


def _is_flagged(declared: Any) -> bool:
    # A variable that the configuration does not declare is none that terraform would show; then hiding costs nothing.
    return not isinstance(declared, dict) or bool(declared.get("sensitive"))


def _walk(node: Any, hidden: set[str]) -> Any:
    if isinstance(node, list):
        return [_walk(each, hidden) for each in node]
    if not isinstance(node, dict):
        return node
    done = {**_marked(node, hidden), **_flagged(node, hidden), **_passed_on(node, hidden)}
    return {key: done[key] if key in done else _walk(value, hidden) for key, value in node.items()}


def _marked(node: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    return {
        content: _under(node[content], node[marks], hidden)
        for content, marks in _MARKED
        if content in node and marks in node
    }


def _flagged(node: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    if not node.get("sensitive"):
        return {}
    hide = {**dict.fromkeys(_FLAGGED, _hide), "expression": _hide_expression}
    return {key: hide[key](node[key], hidden) for key in hide if key in node}


def _passed_on(node: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    """Hide what a module call gives to variables that its module declares as sensitive."""
    given, module = node.get("expressions"), node.get("module")
    if not isinstance(given, dict) or not isinstance(module, dict):
        return {}
    declared = module.get("variables", {})
    names = {name for name, each in declared.items() if isinstance(each, dict) and each.get("sensitive")}
    shown = {name: _hide_expression(held, hidden) if name in names else held for name, held in given.items()}
    return {"expressions": shown}


def _under(value: Any, marks: Any, hidden: set[str]) -> Any:
    """Return `value` with what `marks` (true, or a structure of the same shape) says to be sensitive hidden."""
    if isinstance(value, dict) and isinstance(marks, dict):
        return {key: _under(each, marks.get(key), hidden) for key, each in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        pairs = zip_longest(value, marks[: len(value)])
        return [_under(each, mark, hidden) for each, mark in pairs]
    return _hide(value, hidden) if _says_sensitive(marks) else value


def _says_sensitive(marks: Any) -> bool:
    if isinstance(marks, dict):
        return any(map(_says_sensitive, marks.values()))
    if isinstance(marks, list):
        return any(map(_says_sensitive, marks))
    return bool(marks)


def _hide(value: Any, hidden: set[str]) -> Any:
    hidden.update(_texts(value))
    return None if value is None else MASK


def _hide_expression(expression: Any, hidden: set[str]) -> str:
    """Hide an expression. The names it refers to are addresses, which are shown wherever else they are."""
    constants = expression.get("constant_value") if isinstance(expression, dict) else expression
    hidden.update(_texts(constants))
    return MASK


def _hide_each(held: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    return {key: _hide(value, hidden) for key, value in held.items()}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


class _Net:
    """Hides what was hidden in one place wherever else it stands; the platform's own secrets also inside of texts."""

    def __init__(self, hidden: Iterable[str], secrets: Iterable[str]) -> None:
        self._whole = {text for text in hidden if len(text) >= SHORTEST}
        forms = {form for text in secrets if len(text) >= SHORTEST for form in (text, json.dumps(text)[1:-1])}
        self._parts = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None

    def scrub(self, node: Any) -> Any:
        """Return the node with every such text hidden."""
        if isinstance(node, dict):
            return {key: self.scrub(each) for key, each in node.items()}
        if isinstance(node, list):
            return [self.scrub(each) for each in node]
        return self._text(node) if isinstance(node, str) else node

    def _text(self, text: str) -> str:
        if text in self._whole:
            return MASK
        return self._parts.sub(MASK, text) if self._parts else text
