"""The readable log of an attempt, on disk until the server has it."""

import logging
from pathlib import Path

from agents.runner.masking import Masker

LOG_BYTES = 64 * 1024 * 1024
"""Longest log that is kept; an endless provisioner must not fill the disk."""

_TOO_LONG = "\nThe log is longer than 64 MiB; what follows is not kept.\n"

log = logging.getLogger(__name__)


class Spool:
    """An append-only file of masked text; offsets are byte offsets of what the server gets."""

    def __init__(self, path: Path, masker: Masker) -> None:
        self._file = path.open("w+b", buffering=0)
        self._masker = masker
        self.size = 0
        self._is_full = False

    def write(self, text: str) -> None:
        """Append text; its end may be held back while it could be the beginning of a sensitive value."""
        self._append(self._masker.feed(text))

    def flush(self) -> None:
        """Append what was held back."""
        self._append(self._masker.flush())

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
        data = text.encode(errors="replace")
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
