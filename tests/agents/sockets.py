"""An agent's end of a socket, played by a test."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from agents import protocol
from agents.protocol import FromAgent, Refused, Welcome
from agents.routing import websocket_urlpatterns
from pools.models import Pool, PoolToken
from tests.agents.scenes import hello
from tests.waiting import ENOUGH_SECONDS

Header = tuple[bytes, bytes]


class Carrier(WebsocketCommunicator):
    """Channels' own one leaves database connections open, for tests within a transaction; here that empties the pool."""

    async def send_input(self, message: dict[str, Any]) -> None:
        """Give the application a message."""
        await ApplicationCommunicator.send_input(self, message)

    async def receive_output(self, timeout: float = 1) -> Any:
        """Return the application's next message."""
        return await ApplicationCommunicator.receive_output(self, timeout)

    async def receive_nothing(self, timeout: float = 0.1, interval: float = 0.01) -> bool:
        """Return whether the application says nothing."""
        return bool(await ApplicationCommunicator.receive_nothing(self, timeout, interval))

    async def wait(self, timeout: float = 1) -> None:
        """Wait for the application's end."""
        await ApplicationCommunicator.wait(self, timeout)


class Socket:
    """One connection. `heard` are the words that came before the one that was waited for."""

    def __init__(self, carrier: Any) -> None:
        self.carrier = carrier

    async def say(self, word: FromAgent) -> None:
        """Send a word."""
        await self.carrier.send_to(text_data=protocol.dump(word))

    async def send(self, text: str) -> None:
        """Send whatever text."""
        await self.carrier.send_to(text_data=text)

    async def hear(self) -> Any:
        """Return the next word."""
        return protocol.parse_from_server(await self.carrier.receive_from(timeout=ENOUGH_SECONDS))

    async def ask(self, word: FromAgent) -> Any:
        """Send a word and return the answer."""
        await self.say(word)
        return await self.hear()

    async def is_closed(self) -> bool:
        """Return whether the server closed it now."""
        return bool((await self.carrier.receive_output(timeout=ENOUGH_SECONDS))["type"] == "websocket.close")

    async def is_silent(self) -> bool:
        """Return whether nothing comes for a moment."""
        return bool(await self.carrier.receive_nothing(timeout=0.3, interval=0.05))

    async def refusal(self) -> Refused:
        """Return why the server closed the socket; fails unless it says so and closes."""
        word = await self.hear()
        assert isinstance(word, Refused), word
        assert await self.is_closed()
        return word


@asynccontextmanager
async def open_socket(text: str = "", *more: Header) -> AsyncIterator[Socket]:
    """Open a socket that shows this token text; it ends with the block."""
    headers = [(b"authorization", f"Bearer {text}".encode())] if text else []
    router = URLRouter(websocket_urlpatterns)
    carrier = Carrier(router, "/agents/v1/connect", headers=[*headers, *more])
    connected, _ = await carrier.connect(timeout=ENOUGH_SECONDS)
    assert connected
    try:
        yield Socket(carrier)
    finally:
        await carrier.disconnect(timeout=ENOUGH_SECONDS)


@asynccontextmanager
async def welcomed(text: str, name: str = "ada", **members: Any) -> AsyncIterator[tuple[Socket, Welcome]]:
    """Open a socket and say hello."""
    async with open_socket(text) as socket:
        welcome = await socket.ask(hello(name, **members))
        assert isinstance(welcome, Welcome), welcome
        yield socket, welcome


async def new_token() -> str:
    """Return the text of a new token of the pool `local`."""
    text: str = await do(lambda: PoolToken.issue(pool=Pool.objects.local())[1])
    return text


async def do(act: Callable[..., Any], *arguments: Any, **members: Any) -> Any:
    """Do something with the database."""
    return await database_sync_to_async(act)(*arguments, **members)
