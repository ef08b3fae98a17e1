"""Hints go through Redis; while it is away nobody waits for it and nothing raises, and then it is found again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from channels_redis.pubsub import RedisSingleShardConnection

from iacplatform.base import redis_layer
from iacplatform.base.redis_layer import RedisChannelLayer
from tests.redis_server import RedisServer
from tests.waiting import ENOUGH_SECONDS

WAKE = {"type": "wake"}
RESYNC = {"type": "resync"}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call is given up, and no hint with it, because this machine is slow."""
    monkeypatch.setattr(redis_layer, "CALL_SECONDS", ENOUGH_SECONDS)
    monkeypatch.setitem(redis_layer._PATIENCE, "socket_connect_timeout", ENOUGH_SECONDS)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path)
    yield made
    made.kill()


@pytest.fixture
async def layers(server: RedisServer) -> AsyncIterator[Callable[[], RedisChannelLayer]]:
    """Return a function that makes layers, as processes have one each."""
    made: list[RedisChannelLayer] = []

    def layer() -> RedisChannelLayer:
        made.append(RedisChannelLayer(hosts=[server.url]))
        return made[-1]

    yield layer
    for each in made:
        await each.flush()


async def heard(layer: RedisChannelLayer, channel: str) -> Any:
    async with asyncio.timeout(ENOUGH_SECONDS):
        return await layer.receive(channel)


async def member(layer: RedisChannelLayer, group: str = "agent-1") -> str:
    channel: str = await layer.new_channel()
    await layer.group_add(group, channel)
    return channel


@pytest.mark.usefixtures("patient")
async def test_a_hint_of_one_process_reaches_another(
    server: RedisServer, layers: Callable[[], RedisChannelLayer]
) -> None:
    server.start()
    here, there = layers(), layers()
    channel = await member(there)
    await here.group_send("agent-1", WAKE)
    assert await heard(there, channel) == WAKE


@pytest.mark.usefixtures("patient")
async def test_without_redis_everybody_goes_on_and_hears_again_when_it_comes(
    server: RedisServer, layers: Callable[[], RedisChannelLayer]
) -> None:
    here, there = layers(), layers()
    channel = await member(there)
    await here.group_send("agent-1", WAKE)  # lost
    server.start()
    assert await heard(there, channel) == RESYNC
    here.answered()  # it would find out by itself within a second
    await here.group_send("agent-1", WAKE)
    assert await heard(there, channel) == WAKE


@pytest.mark.usefixtures("patient")
async def test_a_server_that_was_killed_is_found_again(
    server: RedisServer, layers: Callable[[], RedisChannelLayer]
) -> None:
    server.start()
    there = layers()
    channel = await member(there)
    server.kill()
    server.start()
    assert await heard(there, channel) == RESYNC
    await there.group_send("agent-1", WAKE)
    assert await heard(there, channel) == WAKE


@pytest.mark.usefixtures("patient")
async def test_who_comes_in_vain_while_others_are_made_good_is_not_forgotten(
    server: RedisServer, layers: Callable[[], RedisChannelLayer], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = layers()
    await member(there)  # in vain: there is no Redis yet
    late: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    real = RedisSingleShardConnection.subscribe

    async def interrupted(shard: Any, channel: str) -> None:
        if not late.done():
            there.failed(TimeoutError("as if another call had just found Redis away"))
            late.set_result(await member(there, "agent-2"))
        await real(shard, channel)

    monkeypatch.setattr(RedisSingleShardConnection, "subscribe", interrupted)
    server.start()
    channel = await asyncio.wait_for(late, ENOUGH_SECONDS)
    assert [await heard(there, channel) for _ in range(2)] == [RESYNC, RESYNC]  # with the others, then its own
    await layers().group_send("agent-2", WAKE)
    assert await heard(there, channel) == WAKE


async def test_a_server_that_says_nothing_holds_up_one_request_and_no_more(
    server: RedisServer, layers: Callable[[], RedisChannelLayer]
) -> None:
    server.start()
    here = layers()
    await here.group_send("agent-1", WAKE)
    server.freeze()
    began = time.monotonic()
    await asyncio.gather(*(here.group_send("agent-1", WAKE) for _ in range(20)))
    assert time.monotonic() - began < 10 * redis_layer.CALL_SECONDS  # one after the other would wait for 20
    began = time.monotonic()
    await here.group_send("agent-1", WAKE)
    assert time.monotonic() - began < redis_layer.CALL_SECONDS
    server.thaw()


async def test_an_outage_is_said_once(
    layers: Callable[[], RedisChannelLayer], caplog: pytest.LogCaptureFixture
) -> None:
    here = layers()
    for _ in range(3):
        here.away_until = here.away_until and 1.0  # as if the rest were over
        await here.group_send("agent-1", WAKE)
    assert [record.message for record in caplog.records].count(
        "Redis does not answer: hints are lost, and everything goes on slower."
    ) == 1
