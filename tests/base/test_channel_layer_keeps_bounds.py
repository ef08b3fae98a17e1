"""The layer never grows: queues are bounded, closed channels and ended event loops leave nothing behind."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from iacplatform.base import notifications
from iacplatform.base.channel_layer import PostgresChannelLayer
from iacplatform.base.envelopes import Envelope
from tests.base.channels import END, member, receive, until_end
from tests.base.conftest import Onlooker
from tests.waiting import ENOUGH_SECONDS, becomes_true

pytestmark = pytest.mark.usefixtures("database")

RESYNC = {"type": "resync"}


@pytest.fixture
async def layer() -> AsyncIterator[PostgresChannelLayer]:
    layer = PostgresChannelLayer(capacity=3, channel_capacity={"small.*": 1})
    yield layer
    await layer.flush()


async def test_a_full_queue_drops_hints_and_says_resync_once(layer: PostgresChannelLayer) -> None:
    channel = await member(layer, "task.1")
    for number in range(1000):
        await layer.send(channel, {"type": "wake", "id": number})
    kept = [await receive(layer, channel) for _ in range(4)]
    await layer.send(channel, END)
    assert kept == [*({"type": "wake", "id": number} for number in range(3)), RESYNC]
    assert await until_end(layer, channel) == []


async def test_a_queue_that_fills_again_says_resync_again(layer: PostgresChannelLayer) -> None:
    channel = await member(layer, "task.1")
    for _ in range(2):
        for _ in range(10):
            await layer.send(channel, {"type": "wake"})
        assert [await receive(layer, channel) for _ in range(4)] == [{"type": "wake"}] * 3 + [RESYNC]


async def test_a_drop_behind_a_resync_that_still_waits_is_marked_too(layer: PostgresChannelLayer) -> None:
    channel = await member(layer, "task.1")
    for number in range(4):
        await layer.send(channel, {"type": "wake", "id": number})
    await receive(layer, channel)
    await receive(layer, channel)
    for number in range(4, 6):
        await layer.send(channel, {"type": "wake", "id": number})
    await asyncio.sleep(0)  # delivery is the event loop's next step
    left = [await receive(layer, channel) for _ in range(4)]
    assert left == [{"type": "wake", "id": 2}, RESYNC, {"type": "wake", "id": 4}, RESYNC]


async def test_what_comes_after_a_drop_is_kept_behind_the_resync(layer: PostgresChannelLayer) -> None:
    channel = await layer.new_channel("small.")
    for number in range(3):
        await layer.send(channel, {"type": "wake", "id": number})
    assert [await receive(layer, channel), await receive(layer, channel)] == [{"type": "wake", "id": 0}, RESYNC]
    await layer.send(channel, END)
    assert await until_end(layer, channel) == []


async def test_a_full_channel_holds_nobody_up(layer: PostgresChannelLayer) -> None:
    full, other = await member(layer, "task.1"), await member(layer, "task.1")
    for _ in range(10):
        await layer.send(full, {"type": "wake"})
    await layer.group_send("task.1", END)
    assert await until_end(layer, other) == []


async def test_three_thousand_channels_opened_and_closed_leave_nothing(layer: PostgresChannelLayer) -> None:
    channels = [await member(layer, f"task.{number}") for number in range(3000)]
    assert _kept(layer) == 6000
    await layer.send(channels[0], {"type": "wake"})
    channels.clear()
    await becomes_true(lambda: _kept(layer) == 0)


class Console(AsyncWebsocketConsumer):
    """Ends in each of the ways that Channels has, without leaving its group."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(self.scope["path"].strip("/"), self.channel_name)
        await self.accept()

    async def wake(self, message: dict[str, Any]) -> None:
        await self.send(text_data="wake")

    async def fail(self, message: dict[str, Any]) -> None:
        raise ValueError("a consumer's own fault")


@pytest.fixture
def configured(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "iacplatform.base.channel_layer.PostgresChannelLayer"}}


@pytest.mark.parametrize("end", ["leaves", "leaves while a hint comes", "fails", "is cancelled"])
async def test_a_consumer_leaves_nothing_however_it_ends(end: str, configured: None) -> None:
    for _ in range(50):
        layer = await _one_console(end)
    # A consumer that failed is in a cycle with its own traceback.
    await becomes_true(lambda: gc.collect() >= 0 and _kept(layer) == 0)
    await layer.flush()


async def _one_console(end: str) -> PostgresChannelLayer:
    layer: PostgresChannelLayer = get_channel_layer()
    console = WebsocketCommunicator(Console.as_asgi(), "/task.1")
    await console.connect(timeout=ENOUGH_SECONDS)
    if end == "is cancelled":
        console.stop(exceptions=False)
    elif end == "fails":
        await layer.group_send("task.1", {"type": "fail"})
        with pytest.raises(ValueError, match="own fault"):
            await console.wait(timeout=ENOUGH_SECONDS)
    else:
        await _leave(console, layer, with_a_hint=end.endswith("comes"))
    return layer


async def _leave(console: WebsocketCommunicator, layer: PostgresChannelLayer, *, with_a_hint: bool) -> None:
    if with_a_hint:
        await layer.group_send("task.1", {"type": "wake"})
    await console.disconnect(timeout=ENOUGH_SECONDS)


async def test_the_connections_of_an_event_loop_end_with_it(onlooker: Onlooker) -> None:
    layer = PostgresChannelLayer()

    async def short_life() -> None:
        channel = await member(layer, "task.1")
        await layer.group_send("task.1", END)
        await until_end(layer, channel)

    for _ in range(5):
        await asyncio.to_thread(asyncio.run, short_life())
    assert len(layer.exchanges) == 0
    await becomes_true(lambda: not onlooker.sessions("iacplatform "))


async def test_an_event_loop_that_is_closed_without_care_is_forgotten(onlooker: Onlooker) -> None:
    layer = PostgresChannelLayer()

    def careless() -> None:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        loop.run_until_complete(member(layer, "task.1"))
        loop.close()

    await asyncio.to_thread(careless)
    with warnings.catch_warnings(action="ignore"):
        layer.exchanges.put(Envelope("", "group", "task.1", END))
        gc.collect()
    assert len(layer.exchanges) == 0
    await becomes_true(lambda: not onlooker.sessions("iacplatform "))


async def test_one_process_has_one_listening_connection(layer: PostgresChannelLayer, onlooker: Onlooker) -> None:
    held = await asyncio.gather(*(member(layer, "task.1") for _ in range(50)))
    await asyncio.gather(*(layer.group_send("task.1", {"type": "wake"}) for _ in range(50)))
    assert len(held) == 50
    assert len(onlooker.sessions("iacplatform listener")) == 1
    assert len(onlooker.sessions("iacplatform publisher")) == 1


def test_synchronous_code_sends_without_a_connection_of_the_layers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = PostgresChannelLayer()
    opened: list[str] = []
    monkeypatch.setattr(notifications, "connect", opened.append)
    layer.publish([("task.1", {"type": "wake"})])
    async_to_sync(layer.group_send)("task.1", {"type": "wake"})
    assert (opened, len(layer.exchanges)) == ([], 0)


def _kept(layer: PostgresChannelLayer) -> int:
    exchange = layer.exchanges.of_running_loop()
    return len(exchange.mailboxes) if exchange else 0
