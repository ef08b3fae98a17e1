"""What people see: announcements, and each child's log lines under its name."""

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)
"""Codes of ECMA-48, in the order in which the names are first seen."""


class Output:
    """Writes whole lines to `stream`; the names are coloured when it is a terminal and NO_COLOR is unset.

    Whoever reads the stream may leave: the platform goes on without a word.
    """

    def __init__(self, stream: TextIO, names: Iterable[str] = ()) -> None:
        self.stream = stream
        self.coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._names: dict[str, int] = {}
        self._width = max(map(len, names), default=0)

    def line(self, name: str, text: str) -> None:
        """Write one log line of the child `name`."""
        self.say(f"{self._prefix(name)} {text}")

    def say(self, text: str) -> None:
        """Write a line, or several, as they are."""
        with suppress(BrokenPipeError):
            print(text, file=self.stream, flush=True)

    def _prefix(self, name: str) -> str:
        place = self._names.setdefault(name, len(self._names))
        padded = f"{name:{self._width}} |"
        return f"\x1b[{COLOURS[place % len(COLOURS)]}m{padded}\x1b[0m" if self.coloured else padded
