"""Connections on which an answer comes in time, all of it, or not at all.

The time-out of a client is for each wait; whoever sends a byte every second keeps it for as long as he likes, in the
headers as well as in the body. What is bounded here is the whole answer, from its first awaited byte to its last.
"""

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

ANSWER_SECONDS = 15

_TOO_LATE = "not all of it had come after {} seconds."


class Late(OSError):
    """The time of an answer is over."""


class _Until(io.RawIOBase):
    """What comes from a socket until the time is over; then `Late`."""

    def __init__(self, connection: socket.socket, raw: io.RawIOBase) -> None:
        self._socket, self._raw = connection, raw
        self._patience = connection.gettimeout() or ANSWER_SECONDS
        self._end = time.monotonic() + ANSWER_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise Late(_TOO_LATE.format(ANSWER_SECONDS))
        self._socket.settimeout(min(left, self._patience))
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            if left < self._patience:
                raise Late(_TOO_LATE.format(ANSWER_SECONDS)) from None
            raise

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, connection: socket.socket, *details: Any, **more: Any) -> None:
        super().__init__(connection, *details, **more)
        self.fp = io.BufferedReader(_Until(connection, self.fp.detach()))


class _Plain(HTTPConnection):
    response_class = _Answer


class _Secure(HTTPSConnection):
    response_class = _Answer


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


POOLS = {"http": _PlainPool, "https": _SecurePool}
"""By scheme, as urllib3 takes them."""
