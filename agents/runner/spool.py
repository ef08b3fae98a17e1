"""The readable log of an attempt, on disk until the server has it."""

import logging
from pathlib import Path

from agents.runner.masking import Masker

LOG_BYTES = 128 * 1024 * 1024
"""Longest log that is kept; an endless provisioner must not fill the disk."""

_TOO_LONG = "\nThe log is longer than 128 MiB; what follows is not kept.\n"

log = logging.getLogger(__name__)


class Spool:
    """An append-only file of masked text; offsets are byte offsets of what the server gets.

    `said_again_from`: the file of an earlier life of the agent is gone on with, and the text from that byte on is going
    to be written once more: what of it is in the file already is left out.
    """

    def __init__(self, path: Path, masker: Masker, *, said_again_from: int | None = None) -> None:
        is_new = said_again_from is None
        self._file = path.open("w+b" if is_new else "r+b", buffering=0)
        self._masker = masker
        self.size = 0 if is_new else self._file.seek(0, 2)
        self._known = 0 if said_again_from is None else max(0, self.size - said_again_from)
        self._is_full = self.size >= LOG_BYTES

    def write(self, text: str) -> None:
        """Append text; its end may be held back while it could be the beginning of a sensitive value."""
        self._append(self._masker.feed(text))

    def flush(self) -> None:
        """Append what was held back."""
        self._append(self._masker.flush())

    def caught_up(self) -> None:
        """From now on everything that is written is new."""
        self.flush()
        self._known = 0

    def read(self, offset: int, count: int) -> bytes:
        """Return at most `count` bytes from `offset` on."""
        self._file.seek(offset)
        return self._file.read(count) or b""

    def close(self) -> None:
        """Close the file; the server has all of it, or does not want it."""
        self._file.close()

    def _append(self, text: str) -> None:
        if not text or self._is_full:
            return
        data = _encoded(text)
        data, self._known = data[self._known :], max(0, self._known - len(data))
        if self.size + len(data) > LOG_BYTES:
            self._is_full, data = True, _TOO_LONG.encode()
        try:
            self._file.seek(0, 2)
            written = self._file.write(data) or 0
        except OSError as error:  # a full disk costs the rest of the log, not the engine that writes it
            log.error("The log cannot be written any more: %s.", error.strerror)
            written = 0
        self._is_full = self._is_full or written < len(data)
        self.size += written


def _encoded(text: str) -> bytes:
    """Return the bytes that the engine wrote; half a character, which only JSON can say, becomes a question mark."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="replace")
