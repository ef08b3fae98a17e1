"""What a plan would change, to be read by a person: a line for each resource, below it what changes in it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.masking import MASK

LONGEST = 400
"""Characters of a value that are shown."""
MOST = 300
"""Resources that are listed; the JSON has the rest."""

_KINDS = {
    ("create",): "create",
    ("read",): "read",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}
SIGNS = {"create": "+", "read": "<=", "update": "~", "delete": "-", "replace": "-/+", "forget": "·"}
_WORDS = {"replace": "replaced", "delete": "deleted", "forget": "no longer managed", "read": "read"}


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One value that changes. `before` and `after` are JSON; empty where there is none."""

    name: str
    before: str = ""
    after: str = ""
    note: str = ""
    forces: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """A resource, or an output, that the plan would change."""

    address: str
    kind: str
    attributes: list[Attribute]

    @property
    def sign(self) -> str:
        """What stands before its name, as the engine writes it."""
        return SIGNS[self.kind]

    @property
    def word(self) -> str:
        """What happens to it, where the sign alone is easily overlooked."""
        return _WORDS.get(self.kind, "")


@dataclass(frozen=True, kw_only=True)
class Changes:
    """A plan's changes. `counts`: resources by kind; `left_out`: how many of them are not listed."""

    resources: list[Change]
    outputs: list[Change]
    counts: dict[str, int]
    left_out: int = 0


def of(plan: Mapping[str, Any]) -> Changes:
    """Return the changes in a plan's masked JSON (`show -json`)."""
    resources = list(_resources(plan))
    kinds = [resource.kind for resource in resources]
    counts: dict[str, int] = {
        kind: kinds.count(kind) for kind in ("create", "update", "replace", "delete", "forget") if kind in kinds
    }
    return Changes(
        resources=resources[:MOST],
        outputs=list(_outputs(plan)),
        counts=counts,
        left_out=max(0, len(resources) - MOST),
    )


def _resources(plan: Mapping[str, Any]) -> Iterator[Change]:
    for resource in plan.get("resource_changes") or []:
        change = resource.get("change", {})
        if kind := _KINDS.get(tuple(change.get("actions", ()))):
            yield Change(address=resource.get("address", ""), kind=kind, attributes=list(_attributes(change)))


def _outputs(plan: Mapping[str, Any]) -> Iterator[Change]:
    for name, change in (plan.get("output_changes") or {}).items():
        if kind := _KINDS.get(tuple(change.get("actions", ()))):
            yield Change(address=name, kind=kind, attributes=[_attribute("value", change, change, forced=set())])


def _attributes(change: Mapping[str, Any]) -> Iterator[Attribute]:
    before, after, unknown = (_mapping(change.get(key)) for key in ("before", "after", "after_unknown"))
    forced = {str(path[0]) for path in change.get("replace_paths") or [] if path}
    for name in sorted({*before, *after, *unknown}):
        sides = {"before": before.get(name), "after": after.get(name), "after_unknown": unknown.get(name)}
        if sides["before"] != sides["after"] or sides["after_unknown"] or sides["after"] == MASK:
            yield _attribute(name, sides, change, forced=forced)


def _attribute(name: str, sides: Mapping[str, Any], change: Mapping[str, Any], *, forced: set[str]) -> Attribute:
    before, after = sides.get("before"), sides.get("after")
    if MASK in (before, after):
        return Attribute(name=name, note=MASK, forces=name in forced)
    note = "(known after apply)" if sides.get("after_unknown") is True else ""
    shown = "" if note or (after is None and before is not None) else _text(after)
    return Attribute(
        name=name, before="" if before is None else _text(before), after=shown, note=note, forces=name in forced
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
