"""What changed from one state to another, to be read by a person: a line for each address, then for each output."""

from collections.abc import Iterable
from dataclasses import dataclass

from iacplatform.console.changes import SIGNS
from workspaces.state_contents import Difference

MOST = 200
"""Lines of one kind; the JSON has them all."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What came, changed or went. `attributes`: the names of those whose values differ."""

    kind: str
    name: str
    is_output: bool = False
    attributes: tuple[str, ...] = ()

    @property
    def sign(self) -> str:
        """What stands before its name, as the engine writes it."""
        return SIGNS[self.kind]


@dataclass(frozen=True, kw_only=True)
class Changed:
    """The lines to show. `is_cut`: there are more of a kind."""

    lines: list[Line]
    is_cut: bool


def of(difference: Difference) -> Changed:
    """Return the lines of a difference: what came, what changed, what went; addresses first."""
    kinds = [
        _lines("create", difference.added),
        [Line(kind="update", name=each.address, attributes=tuple(each.attributes)) for each in difference.changed],
        _lines("delete", difference.removed),
        _lines("create", difference.outputs_added, is_output=True),
        _lines("update", difference.outputs_changed, is_output=True),
        _lines("delete", difference.outputs_removed, is_output=True),
    ]
    return Changed(
        lines=[line for kind in kinds for line in kind[:MOST]], is_cut=any(len(kind) > MOST for kind in kinds)
    )


def _lines(kind: str, names: Iterable[str], *, is_output: bool = False) -> list[Line]:
    return [Line(kind=kind, name=name, is_output=is_output) for name in names]
