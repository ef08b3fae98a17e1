"""Real processes that share nothing but the database."""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any

import django
import pytest
from django.conf import settings
from django.db import connections

from iacplatform.base.channel_layer import PostgresChannelLayer
from tests.base.channels import END, Message, member, until_end
from tests.base.conftest import Onlooker
from tests.waiting import ENOUGH_SECONDS, until

pytestmark = pytest.mark.usefixtures("database")

RESYNC = {"type": "resync"}
WAKE = {"type": "wake"}


class Listening:
    """Another process with one channel in group `task.1`, which passes on what it gets."""

    def __init__(self, process_id: int, heard: Connection) -> None:
        self.listener = f"iacplatform listener {process_id}"
        self._heard = heard

    def next(self) -> Message:
        """Return the next message that the process got."""
        assert self._heard.poll(ENOUGH_SECONDS), "the process got nothing"
        message: Message = self._heard.recv()
        return message

    def until_end(self) -> list[Message]:
        """Return what came before END."""
        return list(iter(self.next, END))


@pytest.fixture
def others() -> Iterator[list[Listening]]:
    """Two other processes, which listen."""
    with ExitStack() as stack:
        yield [stack.enter_context(_another_process()) for _ in range(2)]


@contextmanager
def _another_process() -> Iterator[Listening]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_listen, args=(settings.DATABASES, theirs))
    process.start()
    other = Listening(process.pid or 0, ours)
    assert other.next() == {"type": "ready"}
    yield other
    process.terminate()
    process.join(ENOUGH_SECONDS)


def _listen(databases: dict[str, Any], heard: Connection) -> None:
    settings.configure(DATABASES=databases, USE_TZ=True)
    django.setup()
    asyncio.run(_pass_on(heard))


async def _pass_on(heard: Connection) -> None:
    layer = PostgresChannelLayer()
    channel = await member(layer, "task.1")
    heard.send({"type": "ready"})
    while True:
        heard.send(await layer.receive(channel))


def test_each_process_gets_each_message_once(others: list[Listening]) -> None:
    layer = PostgresChannelLayer()
    sent = [{"type": "wake", "id": number} for number in range(100)]
    for message in [*sent, END]:
        layer.publish([("task.1", message)])
    assert [other.until_end() for other in others] == [sent, sent]


def test_a_process_whose_listener_is_killed_is_told_and_hears_again(
    others: list[Listening], onlooker: Onlooker
) -> None:
    layer, (hurt, whole) = PostgresChannelLayer(), others
    for _ in range(3):
        until("the one before is gone", lambda: len(onlooker.sessions(hurt.listener)) == 1)
        assert onlooker.end(hurt.listener) == 1
        assert hurt.next() == RESYNC
        layer.publish([("task.1", WAKE)])
        assert [hurt.next(), whole.next()] == [WAKE, WAKE]
    layer.publish([("task.1", END)])
    assert (hurt.until_end(), whole.until_end()) == ([], [])


def test_a_forked_worker_reaches_its_parent_and_leaves_its_connections_alone(onlooker: Onlooker) -> None:
    layer, heard, ready = PostgresChannelLayer(), [], threading.Event()

    async def in_the_parent() -> None:
        channel = await member(layer, "task.1")
        ready.set()
        heard.extend(await until_end(layer, channel))

    parent = threading.Thread(target=asyncio.run, args=[in_the_parent()])
    parent.start()
    assert ready.wait(ENOUGH_SECONDS)
    ours = f"iacplatform listener {os.getpid()}"
    listeners = onlooker.sessions(ours)
    assert _forked(layer) == 0
    # One of the test before may go meanwhile.
    assert set(onlooker.sessions(ours)) <= set(listeners)
    layer.publish([("task.1", END)])
    parent.join(ENOUGH_SECONDS)
    assert heard == [WAKE] * 3


def _forked(layer: PostgresChannelLayer) -> int | None:
    # The child must not find a session of its parent in the pool.
    connections.close_all()
    connections["default"].close_pool()  # type: ignore[attr-defined] # PostgreSQL's alone
    worker = multiprocessing.get_context("fork").Process(target=_work, args=(layer,))
    worker.start()
    worker.join(ENOUGH_SECONDS)
    return worker.exitcode


def _work(layer: PostgresChannelLayer) -> None:
    for _ in range(3):
        layer.publish([("task.1", WAKE)])
    connections.close_all()
    os._exit(0 if len(layer.exchanges) == 0 else 1)
