"""The socket that the web server answers at, opened before anything is started and kept open between its lives."""

import errno
import os
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from iacplatform.supervisor.errors import AddressUnusable, PortTaken

BACKLOG = 511
EVERYWHERE = "0.0.0.0"  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True)
class Listener:
    """A context that closes the socket. Who connects while the web server is started again waits, and is served."""

    socket: socket.socket

    @property
    def address(self) -> str:
        """The address (http://…) under which this machine reaches the socket."""
        host, port = self.socket.getsockname()
        return f"http://{'127.0.0.1' if host == EVERYWHERE else host}:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()


def listen(host: str, port: int) -> Listener:
    """Return a socket that listens at an IPv4 address or name, port 0 for any free one.

    Raises PortTaken or AddressUnusable.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _fault(host, port, error) from error
    return Listener(listener)


def _fault(host: str, port: int, error: Exception) -> Exception:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return PortTaken(host, port)
    # Negative numbers are getaddrinfo's own, which os.strerror does not know.
    known = number is not None and number > 0
    return AddressUnusable(host, port, os.strerror(number) if known and number else str(error))
