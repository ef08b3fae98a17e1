"""LISTEN and NOTIFY: how processes without Redis wake one another.

Every process hears one notification channel. A listener has a connection of its own, which no pool and no transaction
pooler may share.
"""

import asyncio
import logging
import os
import random
from collections.abc import Callable, Sequence

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from psycopg.rows import TupleRow

CHANNEL = "iacplatform"
CONNECT_SECONDS = 5
ANSWER_SECONDS = 5
PROBE_SECONDS = 15
"""A quiet listener asks its connection this often whether it still lives: a cut link says nothing by itself."""
LONGEST_PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)

Connection = psycopg.AsyncConnection[TupleRow]


async def connect(role: str) -> Connection:
    """Return a connection of our own to Django's database; `role` and the process id are its application name."""
    django = connections[DEFAULT_DB_ALIAS].get_connection_params()
    own = {key: value for key, value in django.items() if key not in {"context", "cursor_factory"}}
    own = {"connect_timeout": CONNECT_SECONDS, "keepalives_idle": PROBE_SECONDS} | own
    return await psycopg.AsyncConnection.connect(
        **own | {"application_name": f"iacplatform {role} {os.getpid()}"}, autocommit=True
    )


def notify(payloads: Sequence[str]) -> None:
    """Send from synchronous code, over the thread's own Django connection; a lost one is opened once more."""
    try:
        _notify(payloads)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        _notify(payloads)


def _notify(payloads: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", [CHANNEL, list(payloads)])


class Publisher:
    """Sends from one event loop, over a connection that is made when needed and made again once when it fails."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    async def send(self, payload: str) -> None:
        """Send, or raise psycopg.Error or TimeoutError when a new connection fails as well."""
        async with self._turn:
            try:
                await self._send(payload)
            except (psycopg.Error, TimeoutError):
                await self.close()
                await self._send(payload)

    async def _send(self, payload: str) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            self._connection = self._connection or await connect("publisher")
            await self._connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])

    async def close(self) -> None:
        """Close the connection, if there is one; the next message makes another."""
        if self._connection:
            await self._connection.close()
        self._connection = None


class Listener:
    """Hands over each payload that comes, however often its connection is lost."""

    def __init__(self, on_payload: Callable[[str], None], on_listening: Callable[[], None]) -> None:
        self.listening = asyncio.Event()
        self._on_payload = on_payload
        self._on_listening = on_listening
        self._failures = 0

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            # Whatever it is: a listener that ends is deaf without a word, as channels_postgres was.
            except Exception as error:
                self._report(error)
            finally:
                self.listening.clear()
            await asyncio.sleep(self._pause_seconds())

    async def _listen(self) -> None:
        session = await connect("listener")
        try:
            await session.execute(f"LISTEN {CHANNEL}")
            self._announce()
            while True:
                await self._hand_over(session)
        finally:
            await session.close()

    def _announce(self) -> None:
        self._failures = 0
        self.listening.set()
        self._on_listening()

    async def _hand_over(self, session: Connection) -> None:
        async for notification in session.notifies(timeout=PROBE_SECONDS):
            self._on_payload(notification.payload)
        async with asyncio.timeout(ANSWER_SECONDS):
            await session.execute("SELECT 1")

    def _report(self, error: Exception) -> None:
        self._failures += 1
        logger.warning(
            "The connection that hears wake-ups was lost; it is opened again.",
            extra={"failures": self._failures, "cause": type(error).__name__, "cause_text": str(error).strip()},
        )

    def _pause_seconds(self) -> float:
        longest = min(LONGEST_PAUSE_SECONDS, 0.05 * 2 ** min(self._failures, 10))
        return random.uniform(longest / 2, longest)  # noqa: S311 - spreads processes that lost one server together
