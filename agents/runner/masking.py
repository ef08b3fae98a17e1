"""Sensitive values never leave in the log, however the text is cut into pieces.

A value is recognised raw (each line of it), JSON-escaped, URL-quoted, in hex and in base64 at all three alignments.
Values shorter than SHORTEST are left alone: masking "on" or "80" would make a log unreadable and hide nothing.
It is a net, not a wall: a program that turns a value around or prints it letter by letter gets through.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6
MASK = "(sensitive value)"

_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


class Masker:
    """Masks a stream of text. What could be the beginning of a value is held back until the rest is known."""

    def __init__(self, values: Iterable[str]) -> None:
        self._forms = sorted({form for value in values for form in _forms(value)})
        self._longest = max(map(len, self._forms), default=1)
        self._held = ""

    def mask(self, text: str) -> str:
        """Return a whole text with every known value replaced; values that overlap become one mask."""
        shown, end = [], 0
        for span in self._spans(text):
            shown += [text[end : span.start], MASK]
            end = span.stop
        return "".join([*shown, text[end:]])

    def feed(self, text: str) -> str:
        """Return what can be shown now of the text so far."""
        self._held += text
        cut = self._safe_cut()
        ready, self._held = self._held[:cut], self._held[cut:]
        return self.mask(ready)

    def flush(self) -> str:
        """Return the rest; the text has ended."""
        rest, self._held = self._held, ""
        return self.mask(rest)

    def _safe_cut(self) -> int:
        """Return how much of the held text can go: no form has a line break, and none may be cut in two."""
        cut = max(self._held.rfind("\n") + 1, len(self._held) - self._longest + 1)
        return next((span.start for span in self._spans(self._held) if span.start < cut < span.stop), cut)

    def _spans(self, text: str) -> list[range]:
        """Return where values stand, in order, with overlapping ones joined."""
        joined: list[range] = []
        for span in sorted((span for form in self._forms for span in _found(form, text)), key=lambda span: span.start):
            if joined and span.start < joined[-1].stop:
                joined[-1] = range(joined[-1].start, max(joined[-1].stop, span.stop))
            else:
                joined.append(span)
        return joined


def literals(expression: str) -> list[str]:
    """Return what to mask of a sensitive HCL expression: itself and the strings written in it."""
    return [expression, *(_unescaped(text) for text in _QUOTED.findall(expression))]


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _found(form: str, text: str) -> Iterator[range]:
    start = text.find(form)
    while start >= 0:
        yield range(start, start + len(form))
        start = text.find(form, start + 1)


def _forms(value: str) -> Iterator[str]:
    for part in {value, *re.split(r"\r\n|\r|\n", value)}:
        if len(part.strip()) >= SHORTEST:
            for form in (*_escaped(part), *_encoded(part.encode())):
                if len(form) >= SHORTEST and "\n" not in form:
                    yield form


def _escaped(part: str) -> Iterator[str]:
    yield part
    yield part.strip()
    for ascii_only in (True, False):
        escaped = json.dumps(part, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        # Go writes these three in JSON as \u003c and so on, terraform's -json mode too.
        yield escaped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    yield quote(part, safe="")
    yield quote(part)
    yield quote_plus(part)


def _encoded(data: bytes) -> Iterator[str]:
    yield data.hex()
    yield data.hex().upper()
    for lead in range(3):
        # The first characters depend on what stands before the value, the last ones on what follows it.
        first = (lead * 8 + 5) // 6
        last = (lead + len(data)) * 8 // 6
        text = base64.b64encode(b"\0" * lead + data).decode()[first:last]
        yield text
        yield text.translate(str.maketrans("+/", "-_"))
