"""Reading from channels in tests: always with a deadline."""

import asyncio
from typing import Any

from iacplatform.base.channel_layer import PostgresChannelLayer
from tests.waiting import ENOUGH_SECONDS

Message = dict[str, Any]
END: Message = {"type": "end"}


async def member(layer: PostgresChannelLayer, group: str) -> str:
    """Return a new channel in the group."""
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    return channel


async def receive(layer: PostgresChannelLayer, channel: str) -> Message:
    """Return the next message; TimeoutError after ENOUGH_SECONDS."""
    async with asyncio.timeout(ENOUGH_SECONDS):
        return await layer.receive(channel)


async def until_end(layer: PostgresChannelLayer, channel: str) -> list[Message]:
    """Return what comes before END: what was sent before it cannot come later, so nothing is missed or waited for."""
    messages = []
    while (message := await receive(layer, channel)) != END:
        messages.append(message)
    return messages
