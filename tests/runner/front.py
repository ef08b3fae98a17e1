"""One port for WebSocket and HTTP, as the platform has; its links can be cut."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress


class Front:
    """Hands each connection on to the WebSocket or the HTTP port, by the words of its head."""

    breaks: Iterator[tuple[bool, int]] = iter(())
    """Where the next WebSockets break: of what the agent says (true) or hears, after so many bytes; then they hold."""

    def __init__(self, websocket_port: int, http_port: int) -> None:
        self._ports = {True: websocket_port, False: http_port}
        self._links: set[asyncio.StreamWriter] = set()
        self.is_cut = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        self._links.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            if not self.is_cut:
                await self._join(reader, writer)
        self._links.discard(writer)
        writer.close()

    def cut(self) -> None:
        """Cut all links and refuse new ones, until `is_cut` is false again."""
        self.is_cut = True
        self.drop()

    def drop(self) -> None:
        """Cut all links; new ones work."""
        for writer in list(self._links):
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        is_websocket = b"upgrade: websocket" in head.lower()
        said, heard = self._lengths() if is_websocket else (None, None)
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._ports[is_websocket])
        back_writer.write(head)
        await asyncio.gather(_copy(reader, back_writer, said, writer), _copy(back_reader, writer, heard, writer))

    def _lengths(self) -> tuple[int | None, int | None]:
        is_said, length = next(self.breaks, (True, None))
        return (length, None) if is_said else (None, length)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int | None, near: asyncio.StreamWriter
) -> None:
    """Copy all of it, or so many bytes and then abort the link."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data if length is None else data[:length])
            await writer.drain()
            if length is not None and (length := length - len(data)) <= 0:
                near.transport.abort()
                break
    writer.close()
