"""A link to the database that can be cut as a network cuts it: both ends stay up and hear nothing more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

import psycopg

from iacplatform.base import notifications
from tests import other_process


class Link:
    """A port of this machine that leads to the database."""

    def __init__(self, database: dict[str, Any]) -> None:
        self._database = database
        self._server: asyncio.Server | None = None
        self._port = 0
        self._pumps: set[asyncio.Task[None]] = set()
        self._deaf: list[asyncio.StreamWriter] = []

    @classmethod
    @asynccontextmanager
    async def to_database(cls) -> AsyncIterator[Self]:
        """Open a link to Django's database; it is closed at the end."""
        link = cls(other_process.parameters())
        await link.mend()
        yield link
        await link.cut()
        for end in link._deaf:
            end.close()

    async def connect(self, role: str) -> notifications.Connection:
        """Take the place of `notifications.connect`."""
        through = self._database | {"host": "127.0.0.1", "port": self._port, "application_name": f"iacplatform {role}"}
        return await psycopg.AsyncConnection.connect(**through, autocommit=True)

    async def cut(self) -> None:
        """Carry nothing more, close nothing, and take no new connections."""
        if self._server:
            self._server.close()
        for pump in tuple(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def mend(self) -> None:
        """Take new connections; those that were cut stay cut."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _carry(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far_in, far_out = await self._far_end()
        self._deaf += [near_out, far_out]
        for source, sink in ((near_in, far_out), (far_in, near_out)):
            self._pumps.add(asyncio.create_task(_pump(source, sink)))

    async def _far_end(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._database.get("host") or "127.0.0.1", self._database.get("port") or 5432
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, int(port))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while part := await source.read(65536):
            sink.write(part)
            await sink.drain()
        sink.close()
