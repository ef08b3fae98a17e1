"""Sensitive values never leave in the log, however the text is cut into pieces. What is one, `forms` says."""

import json
import re
from collections.abc import Iterable

from agents.runner.forms import Forms

MASK = "(sensitive value)"

_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


class Masker:
    """Masks a stream of text. What could be the beginning of a value is held back until the rest is known."""

    def __init__(self, values: Iterable[str]) -> None:
        self._forms = Forms(values)
        self._held = ""

    def mask(self, text: str) -> str:
        """Return a whole text with every known value replaced; values that overlap become one mask."""
        return _masked(text, self._forms.spans(text), len(text))

    def feed(self, text: str) -> str:
        """Return what can be shown now of the text so far."""
        text = self._held + text
        spans = self._forms.spans(text)
        cut = self._forms.settled(text, spans)
        self._held = text[cut:]
        return _masked(text, spans, cut)

    def flush(self) -> str:
        """Return the rest; the text has ended."""
        rest, self._held = self._held, ""
        return self.mask(rest)


def _masked(text: str, spans: list[range], end: int) -> str:
    """Return the text up to `end` with a mask in place of each span, of which none goes over that end."""
    shown, at = [], 0
    for span in spans:
        if span.stop <= end:
            shown += [text[at : span.start], MASK]
            at = span.stop
    return "".join([*shown, text[at:end]])


def literals(expression: str) -> list[str]:
    """Return what to hide of a sensitive HCL expression: itself and the strings written in it."""
    return [expression, *(_unescaped(text) for text in _QUOTED.findall(expression))]


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
