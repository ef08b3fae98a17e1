"""What can go wrong between the platform and an API server; each fault says what happens to one request."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from tests.cluster.api import Object

FOR_EVER_SECONDS = 86400.0


@dataclass(frozen=True)
class Reply:
    """An answer on its way to the client."""

    code: int
    headers: list[tuple[str, str]]
    body: bytes


class Exchange(Protocol):
    """One request at the proxy."""

    def forward(self) -> Reply:
        """Let the API server carry it out."""

    def send(self, reply: Reply, *, share: float = 1.0) -> None:
        """Answer the client with that share of the body; less than all of it ends the connection."""

    def reset(self) -> None:
        """Break the connection to the client."""

    def wait(self, seconds: float) -> None:
        """Return after so long, at once when the faults are healed."""


class Fault(Protocol):
    """Something that happens to a request in place of its answer."""

    def happen(self, exchange: Exchange) -> None:
        """Let it happen."""


@dataclass(frozen=True)
class Answer:
    """The API server refuses, and nothing is carried out; `retry_after` in seconds is in header and body."""

    code: int
    reason: str = ""
    message: str = ""
    retry_after: int | None = None

    def happen(self, exchange: Exchange) -> None:
        """Send a Status."""
        headers = [("Content-Type", "application/json")]
        if self.retry_after is not None:
            headers.append(("Retry-After", str(self.retry_after)))
        exchange.send(Reply(self.code, headers, json.dumps(self._status()).encode()))

    def _status(self) -> Object:
        reason, message = USUAL.get(self.code, (HTTPStatus(self.code).phrase, HTTPStatus(self.code).description))
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message or message,
            "reason": self.reason or reason,
            "details": {} if self.retry_after is None else {"retryAfterSeconds": self.retry_after},
            "code": self.code,
        }


@dataclass(frozen=True)
class Hang:
    """Nothing is carried out and no answer comes, until the faults are healed; then the connection breaks."""

    def happen(self, exchange: Exchange) -> None:
        """Keep the client waiting."""
        exchange.wait(FOR_EVER_SECONDS)
        exchange.reset()


@dataclass(frozen=True)
class Delay:
    """The request reaches the API server so much later."""

    seconds: float

    def happen(self, exchange: Exchange) -> None:
        """Wait, then let it through."""
        exchange.wait(self.seconds)
        exchange.send(exchange.forward())


@dataclass(frozen=True)
class CutOff:
    """The request is carried out and its answer breaks off after a share of the body."""

    share: float = 0.5

    def happen(self, exchange: Exchange) -> None:
        """Send the headers of the whole answer, and a part of it."""
        exchange.send(exchange.forward(), share=self.share)


@dataclass(frozen=True)
class Reset:
    """The connection breaks before the request reaches the API server."""

    def happen(self, exchange: Exchange) -> None:
        """Break it."""
        exchange.reset()


@dataclass(frozen=True)
class DropAnswer:
    """The request is carried out; the client sees only a broken connection."""

    def happen(self, exchange: Exchange) -> None:
        """Carry it out, and break the connection."""
        exchange.forward()
        exchange.reset()


@dataclass(frozen=True)
class Rewrite:
    """The request is carried out, and another JSON answer sent: what `change` makes of it."""

    change: Callable[[Object], Object]

    def happen(self, exchange: Exchange) -> None:
        """Send the changed answer."""
        reply = exchange.forward()
        body = json.dumps(self.change(json.loads(reply.body))).encode()
        exchange.send(Reply(reply.code, reply.headers, body))


USUAL = {
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", 'pods is forbidden: User "system:serviceaccount:tests:iacplatform" cannot do that to "pods"'),
    404: ("NotFound", "the server could not find the requested resource"),
    409: ("AlreadyExists", "object already exists"),
    410: ("Expired", "The resourceVersion for the provided list is too old."),
    429: ("TooManyRequests", "Too many requests, please try again later."),
    500: ("InternalError", "Internal error occurred: etcdserver: request timed out"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within requested timeout - context deadline exceeded"),
}
"""Reason and message of an API server for a status code, where a fault names none."""
