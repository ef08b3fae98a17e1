"""A network that can be broken: each door is a port of this machine that leads to one of several places."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

PIECE_BYTES = 65536
GIVE_UP_SECONDS = 20
"""So long a half-open connection stays before it is reset, as when the kernel of an end gives it up."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Place:
    """Where somebody listens: a port of this machine, or a socket's file."""

    port: int = 0
    file: str = ""

    async def connect(self) -> Streams:
        """Return a connection, or raise `OSError`."""
        if self.file:
            return await asyncio.open_unix_connection(self.file)
        return await asyncio.open_connection("127.0.0.1", self.port)


class Connection:
    """Both ends of what goes through a door; a kind of its own may `deliver` in another way."""

    def __init__(self, near: Streams, far: Streams, clear: asyncio.Event) -> None:
        self.near, self.far = near[1], far[1]
        self._clear = clear
        self._is_deaf = False
        self._pumps = [self._pump(near[0], far[1]), self._pump(far[0], near[1])]
        self.carried = 0

    async def carry(self) -> None:
        """Carry bytes both ways until an end closes."""
        with suppress(OSError):
            await asyncio.gather(*self._pumps)
        self.reset()

    def fall_silent(self) -> None:
        """Lose every byte from now on; neither end is told, until one of them, or its kernel, gives up."""
        self._is_deaf = True
        asyncio.get_running_loop().call_later(GIVE_UP_SECONDS, self.reset)

    def reset(self) -> None:
        """End it at once for both ends."""
        for end in (self.near, self.far):
            end.transport.abort()

    async def deliver(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        """Hand a piece on: to `far`, who was asked, or to `near`, who asks."""
        sink.write(piece)
        await sink.drain()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(PIECE_BYTES):
            await self._clear.wait()
            self.carried += len(piece)
            if not self._is_deaf:
                await self.deliver(piece, sink)
        if not self._is_deaf:
            sink.write_eof()


class Door:
    """Leads to the first of `places` that answers, in turn. Whole until `cut`, `stall` or `fall_silent`; then `mend`."""

    def __init__(self, name: str, places: Sequence[Place], kind: type[Connection] = Connection) -> None:
        self.name = name
        self._kind = kind
        self.port = 0
        self._places = list(places)
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._visits: set[asyncio.Future[None]] = set()
        self._clear = asyncio.Event()
        self._is_cut = self._is_silent = False
        self.mend()

    async def open(self) -> None:
        """Listen, at `port`."""
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End all that goes through, and listen no more."""
        if self._server:
            self._server.close()
        self.cut()
        self._clear.set()
        await asyncio.gather(*self._visits, return_exceptions=True)

    def cut(self) -> None:
        """Reset what goes through, and everything that wants to."""
        self._is_cut = True
        for connection in tuple(self._connections):
            connection.reset()

    def stall(self) -> None:
        """Carry nothing until it is mended; then what came meanwhile goes on."""
        self._clear.clear()

    def fall_silent(self) -> None:
        """Make every connection half-open, the new ones too."""
        self._is_silent = True
        for connection in tuple(self._connections):
            connection.fall_silent()

    def mend(self) -> None:
        """Carry again; a connection that was broken stays so."""
        self._is_cut = self._is_silent = False
        self._clear.set()

    def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.ensure_future(self._carry((reader, writer)))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)

    async def _carry(self, near: Streams) -> None:
        far = None if self._is_cut else await self._far_end()
        if far is None:
            near[1].transport.abort()
            return
        connection = self._kind(near, far, self._clear)
        if self._is_silent:
            connection.fall_silent()
        self._connections.add(connection)
        try:
            await connection.carry()
        finally:
            self._connections.discard(connection)

    async def _far_end(self) -> Streams | None:
        for _ in self._places:
            self._places.append(self._places.pop(0))
            with suppress(OSError):
                return await self._places[0].connect()
        return None
