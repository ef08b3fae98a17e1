"""The channel layer for installations without Redis. It carries hints: what says "look at your rows".

Delivery is at most once, as Channels has it. Whoever gets `{"type": "resync"}` has missed hints and reads its rows
again: after the database connection was lost, or when its queue was full. A receiver joins its groups first and reads
its rows after that; then no hint can fall in between.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import BaseChannelLayer

from iacplatform.base import ids
from iacplatform.base.envelopes import Envelope, Message
from iacplatform.base.exchange import Exchanges
from iacplatform.base.mailboxes import ChannelNotOpen, Mailboxes
from iacplatform.base.notifications import notify


class ChannelName(str):
    """The name of a channel, which is open for as long as this object is held."""


class PostgresChannelLayer(BaseChannelLayer):
    """Channels and groups in memory, within a process directly, between processes by LISTEN and NOTIFY.

    `capacity`: hints that one channel keeps, `channel_capacity` by pattern of its name, as in other layers.
    """

    extensions = ["groups", "flush"]

    def __init__(self, capacity: int = 100, channel_capacity: Mapping[Any, int] | None = None) -> None:
        super().__init__(capacity=capacity, channel_capacity=self.compile_capacities(channel_capacity or {}))
        self.exchanges = Exchanges(self.get_capacity)

    async def new_channel(self, prefix: str = "specific.") -> str:
        """Return the name of a new channel of this event loop; it closes when the name is no longer held."""
        channel = ChannelName(ids.new(f"{prefix}!", 24))
        self.require_valid_channel_name(channel)
        exchange = self.exchanges.open()
        await exchange.listening()
        exchange.open_while_held(channel)
        return channel

    async def receive(self, channel: str) -> Message:
        """Return the next message for the channel.

        A name without "!" is opened here and stays open; where several processes do so, each gets every message.
        """
        self.require_valid_channel_name(channel)
        if "!" not in channel:
            await self._open(channel)
        return await self._open_here(channel)[channel].get()

    async def _open(self, channel: str) -> None:
        exchange = self.exchanges.open()
        if channel not in exchange.mailboxes:
            await exchange.listening()
            exchange.mailboxes.open(channel)

    def _open_here(self, channel: str) -> Mailboxes:
        exchange = self.exchanges.of_running_loop()
        if not exchange or channel not in exchange.mailboxes:
            raise ChannelNotOpen(channel)
        return exchange.mailboxes

    async def send(self, channel: str, message: Message) -> None:
        """Send to one channel; raises MessageTooLarge."""
        envelope = self._to_channel(channel, message)
        if not self.exchanges.hold(channel):
            return await self._send(envelope)
        envelope.payload()  # refuses here what another process could not be sent
        return self.exchanges.put(envelope)

    async def group_add(self, group: str, channel: str) -> None:
        """Put a channel of this event loop in the group; raises ChannelNotOpen."""
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        self._open_here(channel).join(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """Take the channel out of the group; one that is not in it is no error."""
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        if exchange := self.exchanges.of_running_loop():
            exchange.mailboxes.leave(group, channel)

    async def group_send(self, group: str, message: Message) -> None:
        """Send to the group's channels in every process; raises MessageTooLarge, and what a lost database raises."""
        await self._send(self._to_group(group, message))

    async def _send(self, envelope: Envelope) -> None:
        payload = envelope.payload()
        self.exchanges.put(envelope)
        if exchange := self.exchanges.of_running_loop():
            await exchange.publisher.send(payload)
        else:
            # A loop without channels may end after this call: a connection of its own would not be worth its price.
            await database_sync_to_async(notify)([payload])

    def publish(self, messages: Iterable[tuple[str, Message]]) -> None:
        """Send to groups, each its message, from synchronous code: one statement on the thread's Django connection.

        Call it after the commit: within a transaction this process hears it at once, the others at the commit.
        """
        envelopes = [self._to_group(group, message) for group, message in messages]
        payloads = [envelope.payload() for envelope in envelopes]
        for envelope in envelopes:
            self.exchanges.put(envelope)
        notify(payloads)

    def _to_group(self, group: str, message: Message) -> Envelope:
        self.require_valid_group_name(group)
        return Envelope(self.exchanges.origin, "group", group, message)

    def _to_channel(self, channel: str, message: Message) -> Envelope:
        self.require_valid_channel_name(channel)
        return Envelope(self.exchanges.origin, "channel", channel, message)

    async def flush(self) -> None:
        """Close every channel and connection of this event loop; the layer can be used again."""
        if exchange := self.exchanges.of_running_loop():
            await exchange.close()
