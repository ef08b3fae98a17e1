"""The engine's output file, read while it grows."""

from pathlib import Path

LINE_BYTES = 1024 * 1024
"""Longest line that is held together; terraform's JSON lines are shorter unless an output is huge."""

CHUNK_BYTES = 4 * LINE_BYTES
"""Most that one look at the file reads, so that a flood of output does not fill the memory."""


class Tail:
    """Gives the lines of a growing file, each once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._rest = b""

    def lines(self) -> list[str]:
        """Return the new whole lines, with their line breaks; an overlong one comes in pieces without."""
        head, found, self._rest = (self._rest + (self._file.read(CHUNK_BYTES) or b"")).rpartition(b"\n")
        whole = [line + b"\n" for line in head.split(b"\n")] if found else []
        if len(self._rest) > LINE_BYTES:
            whole, self._rest = [*whole, self._rest], b""
        return [_text(line) for line in whole]

    def rest(self) -> str:
        """Return the last line, which has no line break, and close the file."""
        self._file.close()
        rest, self._rest = self._rest, b""
        return _text(rest)


def _text(data: bytes) -> str:
    return data.decode(errors="replace").replace("\x00", "\ufffd")
