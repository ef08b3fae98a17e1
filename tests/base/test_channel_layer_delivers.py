"""What is sent reaches each open channel that it is for, once. Two layers of one process stand for two processes."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from iacplatform.base.channel_layer import PostgresChannelLayer
from iacplatform.base.envelopes import MAX_BYTES, Envelope, MessageTooLarge
from iacplatform.base.mailboxes import ChannelNotOpen
from tests.base.channels import END, Message, member, receive, until_end
from tests.waiting import ENOUGH_SECONDS, becomes_true

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def here() -> AsyncIterator[PostgresChannelLayer]:
    layer = PostgresChannelLayer()
    yield layer
    await layer.flush()


@pytest.fixture
async def there() -> AsyncIterator[PostgresChannelLayer]:
    layer = PostgresChannelLayer()
    yield layer
    await layer.flush()


@pytest.mark.parametrize("sender", ["here", "there"])
async def test_five_receivers_that_start_together_get_each_message_once(
    sender: str, here: PostgresChannelLayer, there: PostgresChannelLayer
) -> None:
    channels = await asyncio.gather(*(member(here, "agent.1") for _ in range(5)))
    await there.new_channel()
    layer = {"here": here, "there": there}[sender]
    sent = [{"type": "wake", "id": number} for number in range(10)]
    for message in [*sent, END]:
        await layer.group_send("agent.1", message)
    assert [await until_end(here, channel) for channel in channels] == [sent] * 5


async def test_a_group_spans_processes(here: PostgresChannelLayer, there: PostgresChannelLayer) -> None:
    near, far = await member(here, "task.1"), await member(there, "task.1")
    await here.group_send("task.1", END)
    assert (await until_end(here, near), await until_end(there, far)) == ([], [])


async def test_only_the_group_that_was_meant_gets_a_message(here: PostgresChannelLayer) -> None:
    channel = await member(here, "task.1")
    await member(here, "task.2")
    await here.group_send("task.2", {"type": "wake"})
    await here.group_send("task.1", END)
    assert await until_end(here, channel) == []


async def test_a_channel_that_left_its_group_gets_no_more_of_it(here: PostgresChannelLayer) -> None:
    channel = await member(here, "task.1")
    await here.group_discard("task.1", channel)
    await here.group_discard("task.1", channel)
    await here.group_send("task.1", {"type": "wake"})
    await here.send(channel, END)
    assert await until_end(here, channel) == []


@pytest.mark.parametrize("sender", ["here", "there"])
async def test_a_channel_is_reached_by_its_name(
    sender: str, here: PostgresChannelLayer, there: PostgresChannelLayer
) -> None:
    channel = await here.new_channel()
    await there.new_channel()
    layer = {"here": here, "there": there}[sender]
    await layer.send(channel, {"type": "wake"})
    await layer.send(channel, END)
    assert await until_end(here, channel) == [{"type": "wake"}]


async def test_a_fixed_name_is_open_from_its_first_receive(here: PostgresChannelLayer) -> None:
    first = asyncio.create_task(receive(here, "jobs"))
    await becomes_true(lambda: here.exchanges.hold("jobs"))
    await here.send("jobs", {"type": "wake"})
    await here.send("jobs", END)
    assert await first == {"type": "wake"}
    assert await until_end(here, "jobs") == []


async def test_a_cancelled_receive_loses_nothing(here: PostgresChannelLayer) -> None:
    channel = await member(here, "task.1")
    waiting = asyncio.create_task(here.receive(channel))
    await asyncio.sleep(0)
    waiting.cancel()
    await here.group_send("task.1", {"type": "wake"})
    await here.group_send("task.1", END)
    assert await until_end(here, channel) == [{"type": "wake"}]


async def test_receivers_cannot_change_each_others_messages(here: PostgresChannelLayer) -> None:
    one, other = await member(here, "task.1"), await member(here, "task.1")
    await here.group_send("task.1", {"type": "wake", "ids": [1]})
    (await receive(here, one))["ids"].append(2)
    assert await receive(here, other) == {"type": "wake", "ids": [1]}


async def test_a_channel_of_nowhere_is_refused(here: PostgresChannelLayer) -> None:
    await here.new_channel()
    with pytest.raises(ChannelNotOpen, match="is not open in this event loop"):
        await here.group_add("task.1", "specific.!gone")
    with pytest.raises(ChannelNotOpen):
        await here.receive("specific.!gone")


async def test_the_largest_message_arrives(here: PostgresChannelLayer, there: PostgresChannelLayer) -> None:
    far = await member(there, "task.1")
    largest = _message_of(here, MAX_BYTES)
    await here.group_send("task.1", largest)
    assert await receive(there, far) == largest


async def test_a_larger_message_is_refused_without_showing_it(here: PostgresChannelLayer) -> None:
    channel = await member(here, "task.1")
    for send in (here.group_send("task.1", _message_of(here, MAX_BYTES + 1)), here.send(channel, {"type": "x" * 8000})):
        with pytest.raises(MessageTooLarge, match="send the id of a row") as refusal:
            await send
        assert "xxx" not in str(refusal.value)
    await here.group_send("task.1", END)
    assert await until_end(here, channel) == []


async def test_each_event_loop_of_a_process_gets_a_message_once(here: PostgresChannelLayer) -> None:
    channel = await member(here, "task.1")
    ready, results = threading.Event(), []

    async def in_another_loop() -> None:
        other = await member(here, "task.1")
        ready.set()
        results.append(await until_end(here, other))

    thread = threading.Thread(target=asyncio.run, args=[in_another_loop()])
    thread.start()
    assert await asyncio.to_thread(ready.wait, ENOUGH_SECONDS)
    for message in ({"type": "wake"}, END):
        await here.group_send("task.1", message)
    await asyncio.to_thread(thread.join, ENOUGH_SECONDS)
    assert not thread.is_alive()
    assert [await until_end(here, channel), *results] == [[{"type": "wake"}]] * 2


def _publish(layer: PostgresChannelLayer, message: Message) -> None:
    layer.publish([("task.1", message)])


def _group_send(layer: PostgresChannelLayer, message: Message) -> None:
    async_to_sync(layer.group_send)("task.1", message)


@pytest.mark.parametrize("send", [_publish, _group_send])
async def test_synchronous_code_reaches_every_process(
    send: Callable[[PostgresChannelLayer, Message], None], here: PostgresChannelLayer, there: PostgresChannelLayer
) -> None:
    near, far = await member(here, "task.1"), await member(there, "task.1")

    def work() -> None:
        for message in ({"type": "wake"}, END):
            send(here, message)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert await until_end(here, near) == await until_end(there, far) == [{"type": "wake"}]
    await asyncio.to_thread(thread.join, ENOUGH_SECONDS)
    assert not thread.is_alive()


def _message_of(layer: PostgresChannelLayer, size: int) -> Message:
    empty = Envelope(layer.exchanges.origin, "group", "task.1", {"type": ""}).payload()
    return {"type": "x" * (size - len(empty))}
