"""Lines out of a pipe, as they come."""

import asyncio
import os
from collections.abc import Callable

CHUNK_BYTES = 64 * 1024
LONGEST_BYTES = 256 * 1024
"""A longer line is cut in pieces, so that a child without line ends cannot fill our memory."""


class Lines:
    """Calls `take` with each line that arrives at the read end of a pipe, until the pipe or this object is closed."""

    def __init__(self, descriptor: int, take: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._take = take
        self._rest = b""
        self._open = True
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def close(self) -> None:
        """Take what has arrived by now, and stop; whoever still holds the other end is not waited for."""
        while self._open and self._read():
            pass
        self._finish()

    def _read(self) -> bool:
        try:
            chunk = os.read(self._descriptor, CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self._finish()
            return False
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for line in whole:
            self._emit(line)
        if len(self._rest) > LONGEST_BYTES:
            self._flush()
        return True

    def _finish(self) -> None:
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._flush()

    def _flush(self) -> None:
        rest, self._rest = self._rest, b""
        if rest:
            self._emit(rest)

    def _emit(self, line: bytes) -> None:
        self._take(line.decode(errors="replace").rstrip("\r"))
