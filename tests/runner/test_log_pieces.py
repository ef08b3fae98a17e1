"""In which pieces a log goes: the first line at once, and what follows as large as the server is slow."""

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.protocol import LOG_BATCH_BYTES, Finished, Log, Work
from agents.runner import outbox as outboxes
from agents.runner.masking import Masker
from agents.runner.outbox import PIECE_SECONDS, WINDOW_BYTES, Outbox
from agents.runner.spool import Spool
from tests.waiting import ENOUGH_SECONDS

RESULT = Finished(task=1, epoch=1, outcome="failed", exit_code=1, seconds=1.0, log_bytes=0)


@dataclass
class Clock:
    """The agent's own time."""

    seconds: float = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that stands still."""
    clock = Clock()
    monkeypatch.setattr(outboxes, "time", clock)
    return clock


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "log", Masker([]))


@pytest.fixture
def outbox(spool: Spool) -> Outbox:
    box = Outbox(Work(task=1, epoch=1), asyncio.Event())
    box.open_log(spool)
    return box


def pieces(outbox: Outbox) -> list[str]:
    """Return the log text that is due now."""
    return [base64.b64decode(word.data).decode() for word in outbox.due() if isinstance(word, Log)]


def test_what_is_written_while_a_piece_is_on_its_way_goes_together(outbox: Outbox, spool: Spool, clock: Clock) -> None:
    spool.write("one\n")
    assert pieces(outbox) == ["one\n"]
    for line in ("two\n", "three\n"):
        spool.write(line)
        assert pieces(outbox) == []
    outbox.stored(4)
    clock.seconds += PIECE_SECONDS
    assert pieces(outbox) == ["two\nthree\n"]


def test_a_server_that_confirms_quickly_gets_no_piece_for_each_line(outbox: Outbox, spool: Spool, clock: Clock) -> None:
    spool.write("one\n")
    assert pieces(outbox) == ["one\n"]
    outbox.stored(4)
    spool.write("two\n")
    assert pieces(outbox) == []
    clock.seconds += PIECE_SECONDS
    assert pieces(outbox) == ["two\n"]


async def test_what_waits_for_its_turn_is_sent_without_another_line(spool: Spool) -> None:
    news = asyncio.Event()
    outbox = Outbox(Work(task=1, epoch=1), news)
    outbox.open_log(spool)
    spool.write("one\n")
    assert pieces(outbox) == ["one\n"]
    outbox.stored(4)
    news.clear()
    spool.write("two\n")
    outbox.log_grew()
    async with asyncio.timeout(ENOUGH_SECONDS):
        await news.wait()
    assert pieces(outbox) == ["two\n"]


def test_a_log_whose_end_somebody_waits_for_is_sent_at_once(outbox: Outbox, spool: Spool) -> None:
    spool.write("one\n")
    assert pieces(outbox) == ["one\n"]
    outbox.stored(4)
    spool.write("two\n")
    outbox.send_log()
    assert pieces(outbox) == ["two\n"]


def test_full_pieces_wait_for_nothing_but_the_window(outbox: Outbox, spool: Spool) -> None:
    spool.write("x" * (WINDOW_BYTES + 2 * LOG_BATCH_BYTES))
    assert [len(piece) for piece in pieces(outbox)] == [LOG_BATCH_BYTES] * 4
    outbox.stored(LOG_BATCH_BYTES)
    assert [len(piece) for piece in pieces(outbox)] == [LOG_BATCH_BYTES]


def test_what_remains_of_a_flood_waits_for_what_is_on_its_way_alone(outbox: Outbox, spool: Spool, clock: Clock) -> None:
    spool.write("x" * LOG_BATCH_BYTES + "rest")
    assert [len(piece) for piece in pieces(outbox)] == [LOG_BATCH_BYTES]
    outbox.stored(LOG_BATCH_BYTES)
    assert pieces(outbox) == ["rest"]


def test_the_end_of_a_log_waits_for_nothing(outbox: Outbox, spool: Spool) -> None:
    spool.write("one\n")
    assert pieces(outbox) == ["one\n"]
    spool.write("the end\n")
    outbox.finish(RESULT)
    assert pieces(outbox) == ["the end\n"]


def test_on_a_new_connection_all_that_is_not_confirmed_goes_together(outbox: Outbox, spool: Spool) -> None:
    spool.write("one\n")
    assert pieces(outbox) == ["one\n"]
    spool.write("two\n")
    outbox.resume()
    assert pieces(outbox) == ["one\ntwo\n"]


def test_a_part_that_the_server_asks_for_again_goes_again(outbox: Outbox, spool: Spool) -> None:
    spool.write("one\n")
    assert pieces(outbox) == ["one\n"]
    outbox.stored(4)
    spool.write("two\n")
    outbox.stored(0)
    assert pieces(outbox) == ["one\ntwo\n"]
