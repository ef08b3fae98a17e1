"""The channel layer for installations with Redis: the pub/sub layer of channels_redis, whose silence holds nobody up.

It carries hints. Those sent while Redis is away are lost, which the log says and nothing else; agents still connect,
and their rows are looked at with every heartbeat. When Redis is back every channel is subscribed anew, and gets a
`{"type": "resync"}`.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer, RedisSingleShardConnection
from channels_redis.utils import _close_redis, _wrap_close
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

CALL_SECONDS = 2.0
"""Redis answers within milliseconds; a request of ours waits for it so long and no longer."""

REST_SECONDS = 1.0
"""After a failure Redis is left alone for so long, or each request would wait anew."""

_PATIENCE = {
    "retry": Retry(NoBackoff(), 0),  # a later call is the retry
    "socket_connect_timeout": CALL_SECONDS,
    "socket_keepalive": True,
    "socket_keepalive_options": {socket.TCP_KEEPIDLE: 15, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3},
}
"""A cut link says nothing by itself: it is found out within 30 s."""

_FAULTS = (RedisError, OSError, TimeoutError)

logger = logging.getLogger(__name__)


class RedisChannelLayer(RedisPubSubChannelLayer):
    """Channels and groups by Redis' PUBLISH and SUBSCRIBE. `away_until` (monotonic) is that of the whole process."""

    away_until = 0.0

    def _get_layer(self) -> "_LoopLayer":
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = _LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        layer: _LoopLayer = self._layers[loop]
        return layer

    def is_away(self) -> bool:
        """Whether Redis has just failed."""
        return time.monotonic() < self.away_until

    def failed(self, error: BaseException) -> None:
        """Leave Redis alone for a moment."""
        if not self.away_until:
            facts = {"error": str(error) or type(error).__name__}
            logger.warning("Redis does not answer: hints are lost, and everything goes on slower.", extra=facts)
        self.away_until = time.monotonic() + REST_SECONDS

    def answered(self) -> None:
        """Note that Redis works."""
        if self.away_until:
            logger.info("Redis answers again.")
        self.away_until = 0.0


class _LoopLayer(RedisPubSubLoopLayer):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        shards: list[Any] = vars(self)["_shards"]
        self._shards = [_Shard(shard.host, self) for shard in shards]

    def resync(self) -> None:
        message = self.channel_layer.serialize({"type": "resync"})
        for mailbox in self.channels.values():
            mailbox.put_nowait(message)


class _Shard(RedisSingleShardConnection):
    """`_wanted`: what must be subscribed whenever there is a connection; `_behind`: it is not, as far as is known."""

    _redis: Any
    _pubsub: Any

    def __init__(self, host: dict[str, Any], layer: _LoopLayer) -> None:
        super().__init__({**_PATIENCE, **host}, layer)
        self._wanted: set[str] = set()
        self._behind = False

    async def publish(self, channel: str, message: bytes) -> None:
        await self._done(partial(super().publish, channel, message))

    async def subscribe(self, channel: str) -> None:
        self._wanted.add(channel)
        self._ensure_receiver()
        if not await self._done(partial(super().subscribe, channel)):
            self._behind = True

    async def unsubscribe(self, channel: str) -> None:
        self._wanted.discard(channel)
        await self._done(partial(super().unsubscribe, channel))

    async def flush(self) -> None:
        self._wanted.clear()
        await super().flush()

    async def _done(self, call: Callable[[], Awaitable[None]]) -> bool:
        """Return whether Redis did it in time."""
        redis: RedisChannelLayer = self.channel_layer.channel_layer
        if redis.is_away():
            return False
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await call()
        except _FAULTS as error:
            redis.failed(error)
            return False
        redis.answered()
        return True

    async def _do_receiving(self) -> None:
        while True:
            try:
                await self._receive_next()
            except Exception as error:  # whatever it was: without this loop no hint would come any more
                self.channel_layer.channel_layer.failed(error)
                await self._disconnect()
                await asyncio.sleep(REST_SECONDS)

    async def _receive_next(self) -> None:
        if self._behind:
            await self._catch_up()
        if self._pubsub is None or not self._pubsub.subscribed:
            await asyncio.sleep(0.1)
        else:
            self._receive_message(await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0))

    async def _catch_up(self) -> None:
        """Subscribe to everything that is wanted; hints were lost meanwhile."""
        for channel in sorted(self._wanted - self._subscribed_to):
            async with asyncio.timeout(CALL_SECONDS):
                await super().subscribe(channel)
        self._behind = bool(self._wanted - self._subscribed_to)  # somebody may have come meanwhile, in vain
        self.channel_layer.channel_layer.answered()
        self.channel_layer.resync()

    async def _disconnect(self) -> None:
        async with self._lock:
            self._behind = True
            self._subscribed_to.clear()
            redis, self._redis, self._pubsub = self._redis, None, None
        if redis is not None:
            await _close_redis(redis)
