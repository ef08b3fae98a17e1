"""The broken network of the chaos does what it says, or the chaos would prove nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos import proxy
from tests.chaos.proxy import Door, Place, Streams
from tests.waiting import ENOUGH_SECONDS

MOMENT = 0.5


@asynccontextmanager
async def echo_behind_a_door() -> AsyncIterator[Door]:
    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(100):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(repeat, "127.0.0.1", 0)
    door = Door("echo", [Place(port=server.sockets[0].getsockname()[1])])
    await door.open()
    try:
        yield door
    finally:
        await door.close()
        server.close()


async def said(streams: Streams, text: bytes, *, seconds: float = ENOUGH_SECONDS) -> bytes:
    reader, writer = streams
    writer.write(text)
    async with asyncio.timeout(seconds):
        return await reader.read(100)


async def test_a_whole_door_carries_both_ways() -> None:
    async with echo_behind_a_door() as door:
        assert await said(await Place(port=door.port).connect(), b"hello") == b"hello"


async def test_a_cut_resets_what_is_open_and_what_wants_to_be() -> None:
    async with echo_behind_a_door() as door:
        link = await Place(port=door.port).connect()
        assert await said(link, b"one") == b"one"
        door.cut()
        for each in (link, await Place(port=door.port).connect()):
            with pytest.raises(ConnectionResetError):
                assert await said(each, b"two") == b"", "the end of a stream is an end as well"
                raise ConnectionResetError
        door.mend()
        assert await said(await Place(port=door.port).connect(), b"three") == b"three"


async def test_a_stall_delays_and_loses_nothing() -> None:
    async with echo_behind_a_door() as door:
        link = await Place(port=door.port).connect()
        door.stall()
        with pytest.raises(TimeoutError):
            await said(link, b"one", seconds=MOMENT)
        door.mend()
        assert (await said(link, b"")).startswith(b"one")


async def test_a_half_open_link_tells_nobody_until_a_kernel_gives_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "GIVE_UP_SECONDS", 2 * MOMENT)
    async with echo_behind_a_door() as door:
        link = await Place(port=door.port).connect()
        assert await said(link, b"one") == b"one"
        door.fall_silent()
        door.mend()
        with pytest.raises(TimeoutError):
            await said(link, b"two", seconds=MOMENT)
        with pytest.raises(ConnectionResetError):
            assert await link[0].read(100) == b""
            raise ConnectionResetError


async def test_a_door_leads_past_a_place_where_nobody_listens() -> None:
    async with echo_behind_a_door() as door:
        both = Door("both", [Place(port=1), Place(port=door.port)])
        await both.open()
        assert await said(await Place(port=both.port).connect(), b"hello") == b"hello"
        await both.close()
