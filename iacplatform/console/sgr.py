"""Terminal colours as classes: text with SGR sequences in, escaped spans out. Other escape sequences are dropped."""

import re
from collections.abc import Iterator

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_ESCAPE = re.compile(
    r"\x1b\[([0-9;:]{0,64})m"  # the one kind that is shown; a longer one is nonsense, and dear to read
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COLOURS = ("k", "r", "g", "y", "b", "m", "c", "w")
_STYLES = {1: "bold", 2: "faint", 3: "italic", 4: "line"}
_STYLE_ENDS = {22: {"bold", "faint"}, 23: {"italic"}, 24: {"line"}, 39: set(_COLOURS)}


def lines(text: str) -> SafeString:
    """Return a span for each line of `text`, its colours as classes. A line's colours go on in the next one."""
    classes: set[str] = set()
    shown = text.removesuffix("\n").split("\n") if text else []
    return _safe("".join(f"<span>{_line(each, classes)}\n</span>" for each in shown))


def _line(text: str, classes: set[str]) -> str:
    return "".join(_pieces(text.removesuffix("\r"), classes))


def _pieces(text: str, classes: set[str]) -> Iterator[str]:
    start = 0
    for found in _ESCAPE.finditer(text):
        yield _piece(text[start : found.start()], classes)
        if found[1] is not None:
            _change(classes, found[1])
        start = found.end()
    yield _piece(text[start:], classes)


def _piece(text: str, classes: set[str]) -> str:
    words = escape(_CONTROL.sub("", text))
    return f'<b class="{" ".join(sorted(classes))}">{words}</b>' if words and classes else words


def _change(classes: set[str], codes: str) -> None:
    numbers = [int(code or 0) for code in codes.replace(":", ";").split(";")]
    while numbers:
        code = numbers.pop(0)
        if code in (38, 48):
            # A colour of the large palettes: 38;5;n or 38;2;r;g;b. They have no class; their numbers are no codes.
            del numbers[: 2 if numbers[:1] == [5] else 4]
        elif code == 0:
            classes.clear()
        else:
            _set(classes, code)


def _set(classes: set[str], code: int) -> None:
    classes.difference_update(_STYLE_ENDS.get(code, ()))
    if code in _STYLES:
        classes.add(_STYLES[code])
    elif 30 <= code <= 37 or 90 <= code <= 97:
        classes.difference_update(_COLOURS)
        classes.add(_COLOURS[code % 10])


def _safe(html: str) -> SafeString:
    # Every text in it went through `escape`, and classes come from the tables above.
    return mark_safe(html)  # noqa: S308 - as said above
