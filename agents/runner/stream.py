"""What the engine says, line by line: `-json` events become readable text, and are counted on the way."""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from agents.protocol import Changes
from agents.runner import diagnostics

Event = Mapping[str, Any]

_STEPS = {"create": 1, "update": 1, "delete": 1, "replace": 2, "delete-then-create": 2, "create-then-delete": 2}
"""How many `apply_complete` events a planned action ends with."""

_PLAIN_LINES = 400
_PLAIN_CHARACTERS = 128 * 1024
"""Most that is kept of lines that are no events."""

_ERRORS = 100
"""Most errors that are kept; a message names fewer."""


class Reading:
    """What was learned from the output of one engine process so far."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        """Terraform's own words, one text for each error."""
        self.summaries: list[str] = []
        """The first line of each error."""
        self._other: deque[str] = deque()
        self._other_characters = 0
        self.changes = Changes(add=0, change=0, destroy=0)
        self.planned = 0
        self.done = 0
        self.refused = 0
        """Of those done, how many ended with an error."""
        self.total = 0
        self.has_applied = False
        """Whether it said that the apply is complete: the last word before the exit status 0, with the state stored."""

    def line(self, text: str) -> str:
        """Take a line of output; return what people should read of it. What is not an event stays as it is."""
        event = _event(text)
        if event is None:
            self._keep(text)
            return text
        try:
            self._count(event)
            return _readable(event)
        except (TypeError, ValueError, AttributeError):  # an engine of tomorrow: show it as it is
            return text

    def _keep(self, text: str) -> None:
        self._other.append(text)
        self._other_characters += len(text)
        while len(self._other) > 1 and self._is_full:
            self._other_characters -= len(self._other.popleft())

    @property
    def _is_full(self) -> bool:
        return len(self._other) > _PLAIN_LINES or self._other_characters > _PLAIN_CHARACTERS

    @property
    def plain(self) -> str:
        """The last lines that were no events: all of it from a command without `-json`, a panic from one with it."""
        return "".join(self._other)

    def _count(self, event: Event) -> None:
        kind = event.get("type")
        if kind == "planned_change":
            self.planned += 1
            self.total += _STEPS.get(_action(event.get("change")), 0)
        elif kind in ("apply_complete", "apply_errored") and _action(event.get("hook")) in _STEPS:
            self.done += 1
            self.refused += kind == "apply_errored"
        elif kind == "change_summary":
            self._sum_up(_object(event.get("changes")))
            self.has_applied = _object(event.get("changes")).get("operation") in ("apply", "destroy")
        elif kind == "diagnostic" and _object(event.get("diagnostic")).get("severity") == "error":
            self._fail(_object(event.get("diagnostic")))

    def _sum_up(self, counts: Event) -> None:
        numbers = {key: int(counts.get(key) or 0) for key in ("add", "change", "remove")}
        self.changes = Changes(add=numbers["add"], change=numbers["change"], destroy=numbers["remove"])

    def _fail(self, diagnostic: Event) -> None:
        if len(self.errors) == _ERRORS:
            return
        self.summaries.append(str(diagnostic.get("summary", "")))
        self.errors.append(diagnostics.words(diagnostic))


def _event(text: str) -> Event | None:
    if not text.startswith("{"):
        return None
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("@message"), str) else None


def _readable(event: Event) -> str:
    if event.get("type") == "diagnostic":
        return f"\n{diagnostics.readable(_object(event.get('diagnostic')))}\n\n"
    if event.get("type") == "outputs":
        return "".join(f"{line}\n" for line in (event["@message"], *_outputs(_object(event.get("outputs")))))
    return f"{event['@message']}\n"


def _outputs(outputs: Event) -> list[str]:
    """Return the lines of values that an apply ends with; in a plan there are none yet."""
    known = {name: output for name, output in outputs.items() if isinstance(output, dict) and "type" in output}
    return [f"  {name} = {_value(output)}" for name, output in sorted(known.items())]


def _value(output: Event) -> str:
    if output.get("sensitive"):
        return diagnostics.SENSITIVE
    return json.dumps(output.get("value"), ensure_ascii=False)


def _action(change: Any) -> str:
    return str(_object(change).get("action", ""))


def _object(value: Any) -> Event:
    return value if isinstance(value, dict) else {}
