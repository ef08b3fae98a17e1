"""The door of HTTP: how much a request may bring, counted as it arrives and whatever its headers say."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from iacplatform import api
from iacplatform.base.problems import TooLarge
from workspaces import manifests

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_STATE = re.compile(r"(/api/v1)?/workspaces/[^/]+/state(-versions)?")
_CONFIGURATION = re.compile(r"(/api/v1)?/workspaces/[^/]+/configurations")
_MANIFEST = re.compile(r"/agents/v1/attempt/configuration/manifest")
_PLAN_PART = re.compile(r"/agents/v1/attempt/plan/[^/]+")

ENVELOPE_BYTES = 1024 * 1024
"""What a form may have beside the archive that is uploaded with it."""


def limit(path: str) -> int:
    """Return how many bytes a body may have there."""
    if _STATE.fullmatch(path):
        return int(settings.STATE_MAX_BYTES)
    if _CONFIGURATION.fullmatch(path):
        return int(settings.CONFIGURATION_MAX_BYTES) + ENVELOPE_BYTES
    if _MANIFEST.fullmatch(path):
        return manifests.MOST_BYTES
    if _PLAN_PART.fullmatch(path):
        return int(settings.PLAN_PART_MAX_BYTES)
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0


class Intake:
    """An ASGI application that ends requests whose body is too large, and tells the one behind it how long others are.

    A body of unknown length (chunked) counts as empty in Django and DRF; so it is read here first, up to the limit.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        counted = _Counted(receive, limit(scope["path"]))
        try:
            if _is_chunked(scope):
                scope = await counted.measure(scope)
            await self._app(scope, counted.receive, send)
        except TooLarge as error:
            await _refuse(error, send)


class _Counted:
    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = self._limit = limit
        self._read: list[Message] = []

    async def receive(self) -> Message:
        return self._read.pop(0) if self._read else await self._next()

    async def measure(self, scope: Scope) -> Scope:
        """Read the body, and return the scope with its length."""
        read = [await self._next()]
        while read[-1].get("more_body"):
            read.append(await self._next())
        self._read = read
        length = str(self._limit - self._left).encode()
        return {**scope, "headers": [*scope["headers"], (b"content-length", length)]}

    async def _next(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise TooLarge(f"The body is larger than {self._limit:,} bytes, which is the most that this address takes.")
        return message


def _is_chunked(scope: Scope) -> bool:
    names = {name.lower() for name, _ in scope["headers"]}
    return b"transfer-encoding" in names and b"content-length" not in names


async def _refuse(error: TooLarge, send: Send) -> None:
    answer = api.answer(error)
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.items()]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})
