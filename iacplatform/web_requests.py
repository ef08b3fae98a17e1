"""The web server's requests, whose forms Django alone reads."""

from typing import Any

from daphne import http_protocol


class Request(http_protocol.WebRequest):
    """A request whose form Twisted does not read too.

    Twisted would parse every form in memory before it asks anybody, at ten times its size, and meanwhile hold up all
    sockets of the process; nobody here uses what it finds.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._parsePOSTFormSubmission = False


def install() -> None:
    """Have daphne make such requests: it names the class only in its module."""
    http_protocol.WebRequest = Request
