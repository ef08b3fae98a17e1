"""A bare consumer of Channels, as its tutorial has it: lets everybody in and echoes. daphne serves it beside ours."""

from typing import Any

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

settings.configure(
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()


class Echo(AsyncWebsocketConsumer):
    """Sends back what comes."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Send it back."""
        await self.send(text_data=text_data, bytes_data=bytes_data)


_routes: list[Any] = [path("agents/v1/connect", Echo.as_asgi())]
application = ProtocolTypeRouter({"websocket": URLRouter(_routes)})
