import asyncio
import os

from iacplatform.supervisor.lines import LONGEST_BYTES, Lines


async def test_lines_come_whole_however_they_were_written() -> None:
    taken = await taken_from(b"one\ntw", b"o\r\n", b"three")
    assert taken == ["one", "two", "three"]


async def test_bytes_that_are_no_text_are_replaced() -> None:
    assert await taken_from(b"\xff!\n") == ["\ufffd!"]


async def test_a_line_without_an_end_is_cut() -> None:
    taken = await taken_from(*[b"x" * 50_000] * 12)
    assert sum(map(len, taken)) == 600_000
    assert max(map(len, taken)) <= LONGEST_BYTES + 64 * 1024


async def test_what_has_arrived_is_taken_although_somebody_holds_the_pipe_open() -> None:
    read, write = os.pipe()
    taken: list[str] = []
    lines = Lines(read, taken.append)
    os.write(write, b"last words\n")
    lines.close()
    os.close(write)
    assert taken == ["last words"]


async def taken_from(*pieces: bytes) -> list[str]:
    read, write = os.pipe()
    taken: list[str] = []
    lines = Lines(read, taken.append)
    for piece in pieces:
        await asyncio.to_thread(os.write, write, piece)  # the loop reads meanwhile: a pipe holds 64 KiB
    os.close(write)
    lines.close()
    return taken
