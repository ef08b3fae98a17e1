"""A lost connection costs hints, never the layer: it listens again and says so to every channel."""

import asyncio
import logging
from collections.abc import AsyncIterator

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from iacplatform.base import exchange, notifications
from iacplatform.base.channel_layer import PostgresChannelLayer
from tests.base.channels import END, member, receive, until_end
from tests.base.conftest import Onlooker
from tests.base.cut_link import Link
from tests.waiting import becomes_true, until

pytestmark = pytest.mark.usefixtures("database")

RESYNC = {"type": "resync"}


@pytest.fixture
async def layer() -> AsyncIterator[PostgresChannelLayer]:
    layer = PostgresChannelLayer()
    yield layer
    await layer.flush()


@pytest.fixture
async def elsewhere() -> AsyncIterator[PostgresChannelLayer]:
    """As another process would send: heard through the database alone."""
    layer = PostgresChannelLayer()
    await layer.new_channel()
    yield layer
    await layer.flush()


async def end_the_one(onlooker: Onlooker, application: str) -> None:
    """End the one session of this name; whoever had it before may still be on its way out."""
    await becomes_true(lambda: len(onlooker.sessions(application)) == 1)
    assert onlooker.end(application) == 1


async def test_a_listener_that_is_killed_listens_again_and_every_channel_is_told_once(
    layer: PostgresChannelLayer, onlooker: Onlooker
) -> None:
    channels = [await member(layer, "task.1") for _ in range(3)]
    elsewhere = PostgresChannelLayer()
    for _ in range(3):
        await end_the_one(onlooker, "iacplatform listener")
        assert [await receive(layer, channel) for channel in channels] == [RESYNC] * 3
    await asyncio.to_thread(_publish_and_close, elsewhere)
    assert [await until_end(layer, channel) for channel in channels] == [[]] * 3


async def test_no_message_is_doubled_by_a_reconnect(
    layer: PostgresChannelLayer, elsewhere: PostgresChannelLayer, onlooker: Onlooker
) -> None:
    channel = await member(layer, "task.1")
    await elsewhere.group_send("task.1", {"type": "wake", "id": 1})
    assert await receive(layer, channel) == {"type": "wake", "id": 1}
    onlooker.end("iacplatform listener")
    assert await receive(layer, channel) == RESYNC
    await elsewhere.group_send("task.1", {"type": "wake", "id": 2})
    await elsewhere.group_send("task.1", END)
    assert await until_end(layer, channel) == [{"type": "wake", "id": 2}]


async def test_a_group_send_outlives_its_connection(
    layer: PostgresChannelLayer, elsewhere: PostgresChannelLayer, onlooker: Onlooker
) -> None:
    near, far = await member(layer, "task.1"), await member(elsewhere, "task.1")
    await layer.group_send("task.1", {"type": "wake"})
    await end_the_one(onlooker, "iacplatform publisher")
    await layer.group_send("task.1", END)
    for holder, channel in ((layer, near), (elsewhere, far)):
        assert await until_end(holder, channel) == [{"type": "wake"}]


async def test_a_publish_outlives_the_threads_connection(layer: PostgresChannelLayer, onlooker: Onlooker) -> None:
    far = await member(layer, "task.1")

    def work() -> None:
        _publish_over_a_killed_connection(onlooker)
        connection.close()

    await asyncio.to_thread(work)
    assert await until_end(layer, far) == []


def _publish_over_a_killed_connection(onlooker: Onlooker) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET application_name = 'doomed'")
    until("there is one", lambda: len(onlooker.sessions("doomed")) == 1)
    assert onlooker.end("doomed") == 1
    PostgresChannelLayer().publish([("task.1", END)])


def _publish_and_close(layer: PostgresChannelLayer) -> None:
    layer.publish([("task.1", END)])
    connection.close()


def test_within_a_transaction_a_lost_connection_is_the_callers_error(onlooker: Onlooker) -> None:
    with pytest.raises(OperationalError), transaction.atomic():
        _publish_over_a_killed_connection(onlooker)


async def test_a_channel_that_opens_while_the_database_is_away_is_told_when_it_is_back(
    layer: PostgresChannelLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, away = notifications.connect, asyncio.Event()

    async def refused(role: str) -> notifications.Connection:
        if not away.is_set():
            raise psycopg.OperationalError("connection refused")
        return await connect(role)

    monkeypatch.setattr(notifications, "connect", refused)
    monkeypatch.setattr(exchange, "LISTENING_SECONDS", 0.05)
    channel = await member(layer, "task.1")
    away.set()
    assert await receive(layer, channel) == RESYNC


async def test_a_link_that_is_cut_without_a_word_is_noticed(
    layer: PostgresChannelLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Link.to_database() as link:
        monkeypatch.setattr(notifications, "connect", link.connect)
        with monkeypatch.context() as hasty:
            hasty.setattr(notifications, "PROBE_SECONDS", 0.1)
            channel = await member(layer, "task.1")
            hasty.setattr(notifications, "ANSWER_SECONDS", 2)
            await link.cut()
            await link.mend()
            assert await receive(layer, channel) == RESYNC
        await asyncio.to_thread(_publish_and_close, PostgresChannelLayer())
        assert await until_end(layer, channel) == []
        await layer.flush()


async def test_a_notification_that_nobody_can_read_counts_as_a_missed_hint(
    layer: PostgresChannelLayer, onlooker: Onlooker
) -> None:
    channel = await member(layer, "task.1")
    listeners = onlooker.sessions("iacplatform listener")
    for garbage in ("", "{", "[]", '["x"]', '["x", "group", "task.1", 7]', '["x", "group", ["task.1"], {}]', "null"):
        onlooker.notify(garbage)
        assert await receive(layer, channel) == RESYNC
    await layer.group_send("task.1", END)
    assert await until_end(layer, channel) == []
    # One of the test before may go meanwhile.
    assert set(onlooker.sessions("iacplatform listener")) <= set(listeners)


async def test_the_log_tells_of_the_loss_and_shows_no_message(
    layer: PostgresChannelLayer, onlooker: Onlooker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    channel = await member(layer, "task.1")
    await layer.group_send("task.1", {"type": "wake", "id": "hunter2"})
    onlooker.notify("hunter2")
    onlooker.end("iacplatform listener")
    await becomes_true(lambda: "is opened again" in caplog.text)
    assert await receive(layer, channel) == {"type": "wake", "id": "hunter2"}
    assert "hunter2" not in caplog.text + str([vars(record) for record in caplog.records])
