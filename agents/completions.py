"""Which resources an engine's log says it has completed, and which of them the saved state does not know."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tasks.log_lines import Line
from workspaces import large_states, state_documents
from workspaces.models import StateVersion

_KEY = r'(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?'
_ADDRESS = rf"(?:module\.[\w-]+{_KEY}\.)*[\w-]+\.[\w-]+{_KEY}"
_COMPLETE = re.compile(
    rf"(?P<address>{_ADDRESS})(?: \(deposed object \w+\))?: (?P<what>Creation|Modifications|Destruction) complete\b"
)
_ACTIONS = {"Creation": "create", "Modifications": "update", "Destruction": "delete"}


@dataclass(frozen=True, kw_only=True)
class Completion:
    """A resource that was made, changed or destroyed. `action`: create, update or delete."""

    address: str
    action: str
    at: datetime


def of(lines: Iterable[Line]) -> list[Completion]:
    """Return what the lines say was completed, in their order."""
    found = ((line, _COMPLETE.match(_message(line.text))) for line in lines)
    return [
        Completion(address=match["address"], action=_ACTIONS[match["what"]], at=line.at)
        for line, match in found
        if match is not None
    ]


def unsaved(completed: list[Completion], saved: StateVersion | None) -> list[Completion]:
    """Return those that the state which the run saved last does not hold; all of them where it saved none.

    A resource that was only made, or only destroyed, is looked for in the state itself: a log line and the state that
    holds it arrive in any order. Of the others the times decide. Raises `TryAgain` while other large states are looked
    into.
    """
    if saved is None or not completed:
        return completed
    with large_states.turn(saved.size):
        known = state_documents.addresses(saved.content())
    times = Counter(each.address for each in completed)
    return [each for each in completed if not _is_saved(each, saved, known, is_single=times[each.address] == 1)]


def _is_saved(each: Completion, saved: StateVersion, known: set[str], *, is_single: bool) -> bool:
    if is_single and each.action != "update":
        return (each.address in known) == (each.action == "create")
    return each.at <= saved.created_at


def _message(text: str) -> str:
    """Return the text that people read of a line that may still be one of the engine's JSON."""
    if not text.startswith("{"):
        return text
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return str(event.get("@message", "")) if isinstance(event, dict) else text
