"""The engine's output file, read while it grows."""

from pathlib import Path

LINE_BYTES = 1024 * 1024
"""Longest line that is held together; terraform's JSON lines are shorter unless an output is huge."""

CHUNK_BYTES = 128 * 1024
"""Most that one look at the file reads, so that a flood of output does not fill the memory."""

_ONGOING = range(0x80, 0xC0)
"""Bytes of UTF-8 that go on with a character."""


class Tail:
    """Gives the lines of a growing file, each once. `is_behind`: there was more than one look reads.

    Bytes that are no UTF-8 are kept, as Python's `surrogateescape` does, so that the log has them again.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._rest = b""
        self.is_behind = False

    def lines(self) -> list[str]:
        """Return the new whole lines, with their line breaks; an overlong one comes in pieces without."""
        data = self._file.read(CHUNK_BYTES) or b""
        self.is_behind = len(data) == CHUNK_BYTES
        head, found, self._rest = (self._rest + data).rpartition(b"\n")
        whole = [line + b"\n" for line in head.split(b"\n")] if found else []
        if len(self._rest) > LINE_BYTES:
            cut = _before_last_character(self._rest)
            whole, self._rest = [*whole, self._rest[:cut]], self._rest[cut:]
        return [_text(line) for line in whole]

    def rest(self) -> str:
        """Return the last line, which has no line break, and close the file."""
        self._file.close()
        rest, self._rest = self._rest, b""
        return _text(rest)


def _before_last_character(data: bytes) -> int:
    """Return where the last character begins, of which the rest may not be written yet."""
    steps = (back for back in range(1, 5) if data[-back] not in _ONGOING)
    return len(data) - next(steps, 0)


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
