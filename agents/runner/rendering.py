"""A plan for people, made from `show -json`: the coloured `show` would be one more start of the engine."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agents.runner import diagnostics, redaction

LINES = 5000
"""Longest rendering; the plan's JSON has all of it."""

_VALUE_CHARACTERS = 400

_VERBS = {
    ("create",): ("+", "will be created"),
    ("update",): ("~", "will be updated in place"),
    ("delete",): ("-", "will be destroyed"),
    ("read",): ("<=", "will be read during the apply"),
    ("delete", "create"): ("-/+", "must be replaced: destroyed, then created"),
    ("create", "delete"): ("+/-", "must be replaced: created, then destroyed"),
    ("forget",): (".", "will be forgotten, not destroyed"),
}
_MISSING = object()


def plan(members: Mapping[str, Any]) -> str:
    """Return what a plan (`show -json`, not redacted) does, a line for each attribute, without sensitive values."""
    lines = [*_resources(members.get("resource_changes") or []), *_outputs(members.get("output_changes") or {})]
    if not lines:
        return "\nThe plan changes nothing.\n"
    cut = [f"(cut here; {len(lines) - LINES} more lines are in the plan's JSON)"] if len(lines) > LINES else []
    return "\n".join(["", "The plan:", *lines[:LINES], *cut, ""])


def _resources(changes: list[Mapping[str, Any]]) -> Iterator[str]:
    for resource in changes:
        change = resource["change"]
        sign, verb = _VERBS.get(tuple(change["actions"]), ("", ""))
        moved = resource.get("previous_address")
        if sign or moved:
            yield ""
            yield f"{sign or '~':>3} {resource['address']} {verb}{f' (was {moved})' if moved else ''}".rstrip()
            yield from _attributes(change)


def _attributes(change: Mapping[str, Any]) -> Iterator[str]:
    replacing = {_path(path) for path in change.get("replace_paths") or []}
    for name, before, after in _differences(change):
        forces = " (forces replacement)" if name in replacing else ""
        yield f"      {_row(name, before, after)}{forces}"


def _outputs(changes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    changed = {name: change for name, change in sorted(changes.items()) if change.get("actions") != ["no-op"]}
    if changed:
        yield from ("", "Outputs:")
    for name, change in changed.items():
        (before, after), (plain_before, plain_after) = _shown(change), _plain(change)
        yield f"  {_row(name, _side(plain_before, before), _side(plain_after, after))}"


def _differences(change: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the top-level attributes that differ: name, before and after, as they may be shown."""
    before, after = (_mapping(side) for side in _shown(change))
    plain_before, plain_after = (_mapping(side) for side in _plain(change))
    for name in sorted({*before, *after}):
        if plain_before.get(name) != plain_after.get(name):
            sides = _side(plain_before.get(name), before.get(name)), _side(plain_after.get(name), after.get(name))
            yield name, *sides


def _plain(change: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return both sides as they are, whether or not they may be shown."""
    return change.get("before"), _with_unknown(change.get("after"), change.get("after_unknown"))


def _shown(change: Mapping[str, Any]) -> tuple[Any, Any]:
    before, after = _plain(change)
    marks = change.get("before_sensitive"), change.get("after_sensitive")
    return redaction.value(before, marks[0]), redaction.value(after, marks[1])


def _side(plain: Any, shown: Any) -> Any:
    """Return what is shown of a value. Whether there is one is no secret: the engine says so too."""
    return _MISSING if plain is None else shown


def _mapping(side: Any) -> Mapping[str, Any]:
    return side if isinstance(side, Mapping) else {}


class _Unknown:
    """A value that only the apply will know."""


def _with_unknown(value: Any, unknown: Any) -> Any:
    if unknown is True:
        return _Unknown()
    if isinstance(unknown, dict) and isinstance(value, dict):
        return {key: _with_unknown(value.get(key), unknown.get(key)) for key in {**value, **unknown}}
    if isinstance(unknown, list) and isinstance(value, list) and len(unknown) == len(value):
        return [_with_unknown(item, mark) for item, mark in zip(value, unknown, strict=True)]
    return _Unknown() if value is None and unknown else value


def _row(name: str, before: Any, after: Any) -> str:
    if before is _MISSING:
        return f"+ {name} = {_text(after)}"
    if after is _MISSING:
        return f"- {name} = {_text(before)}"
    return f"~ {name} = {_text(before)} -> {_text(after)}"


def _text(value: Any) -> str:
    if value == diagnostics.SENSITIVE:
        return diagnostics.SENSITIVE
    text = json.dumps(value, ensure_ascii=False, default=lambda _: "(known after apply)")
    text = text.replace('"(known after apply)"', "(known after apply)").replace(
        f'"{diagnostics.SENSITIVE}"', diagnostics.SENSITIVE
    )
    if len(text) <= _VALUE_CHARACTERS:
        return text
    return f"{text[:_VALUE_CHARACTERS]}… ({len(text) - _VALUE_CHARACTERS} more characters)"


def _path(path: list[Any]) -> str:
    return str(path[0]) if path else ""
