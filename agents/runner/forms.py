"""How sensitive values may look in a text, and where in it they stand.

A value is known raw (as a whole and each line of it), JSON-escaped (also twice, as in a JSON text within another),
URL-quoted, in hex and in base64: at all three alignments, and in lines of 64 or 76 characters.
Values shorter than SHORTEST are left alone: hiding "on" or "80" would make a log unreadable and hide nothing.
It is a net, not a wall: a program that turns a value around or prints it letter by letter gets through.
"""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6

FEW = 500
"""So many forms are looked for one by one, in 5 ms for 64 KiB; more by their beginnings, in 10 ms however many."""

MOST_CHARACTERS = 256 * 1024
"""Of values of which all forms are known; the longest ones, beyond that, are known raw and line by line."""

_BREAK = re.compile(r"\r\n|\r|\n")
_QUOTED_BYTE = re.compile(r"%[0-9A-F]{2}")
_LEFT_AS_IT_IS = ("", "/", "$&+=:@", "!'()*")
"""Characters that the one or the other way of URL-quoting does not quote."""

_BASE64_LINES = (64, 76)
"""Characters of a line, as openssl and base64(1) write it."""


class Forms:
    """All forms of some values. `as_bytes`: for texts that hold a character for each byte (latin-1)."""

    def __init__(self, values: Iterable[str], *, as_bytes: bool = False) -> None:
        known = set(_all_forms(values))
        self._forms = sorted({form.encode().decode("latin-1") for form in known} if as_bytes else known)
        self._by_begin: dict[str, list[str]] = defaultdict(list)
        for form in self._forms:
            self._by_begin[form[:SHORTEST]].append(form)
        self._begins = {begin[:length] for begin in self._by_begin for length in range(1, SHORTEST)}
        self._longest = max(map(len, self._forms), default=0)

    def spans(self, text: str) -> list[range]:
        """Return where values stand, in order, with overlapping ones joined."""
        joined: list[range] = []
        for span in sorted(self._found(text), key=lambda span: span.start):
            if joined and span.start < joined[-1].stop:
                joined[-1] = range(joined[-1].start, max(joined[-1].stop, span.stop))
            else:
                joined.append(span)
        return joined

    def settled(self, text: str, spans: list[range]) -> int:
        """Return how much of a text nothing that follows can change: no value is open there, and none is cut in two."""
        open_at = next(self._open(text), len(text))
        return next((span.start for span in spans if span.start < open_at < span.stop), open_at)

    def _found(self, text: str) -> Iterator[range]:
        if len(self._forms) <= FEW:
            yield from (range(at, at + len(form)) for form in self._forms for at in _places(form, text))
            return
        for at in range(len(text) - SHORTEST + 1):
            for form in self._by_begin.get(text[at : at + SHORTEST], ()):
                if text.startswith(form, at):
                    yield range(at, at + len(form))

    def _open(self, text: str) -> Iterator[int]:
        tail = range(max(0, len(text) - self._longest + 1), len(text))
        return (at for at in tail if self._is_open(text, at))

    def _is_open(self, text: str, at: int) -> bool:
        """Return whether a form has begun there, and the text ended before it."""
        begin, left = text[at : at + SHORTEST], len(text) - at
        if left < SHORTEST:
            return begin in self._begins
        return any(len(form) > left and form.startswith(text[at:]) for form in self._by_begin.get(begin, ()))


def _places(form: str, text: str) -> Iterator[int]:
    start = text.find(form)
    while start >= 0:
        yield start
        start = text.find(form, start + 1)


def _all_forms(values: Iterable[str]) -> Iterator[str]:
    left = MOST_CHARACTERS
    for value in sorted(values, key=len):
        left -= len(value)
        yield from _forms(value) if left >= 0 else _raw(value)


def _raw(value: str) -> Iterator[str]:
    return (part for part in {value, *_BREAK.split(value)} if len(part.strip()) >= SHORTEST)


def _forms(value: str) -> Iterator[str]:
    lines = _BREAK.split(value)
    for part in {value, "\n".join(lines), "\r\n".join(lines), *lines}:
        if len(part.strip()) >= SHORTEST:
            for form in (*_escaped(part), *_quoted(part), *_encoded(part.encode(errors="replace"))):
                if len(form) >= SHORTEST:
                    yield form


def _escaped(part: str) -> Iterator[str]:
    yield part
    yield part.strip()
    for ascii_only in (True, False):
        once = json.dumps(part, ensure_ascii=ascii_only)[1:-1]
        twice = json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        for escaped in (once, twice):
            yield escaped
            # Go writes these three in JSON as \u003c and so on, terraform's -json mode too.
            yield escaped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _quoted(part: str) -> Iterator[str]:
    text = part.encode(errors="replace")
    for quoted in (*(quote(text, safe=safe) for safe in _LEFT_AS_IT_IS), quote_plus(text)):
        yield quoted
        yield _QUOTED_BYTE.sub(lambda found: found[0].lower(), quoted)


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
        if not lead:
            yield from (text[at : at + length] for length in _BASE64_LINES for at in range(0, len(text), length))
