"""Where hints change hands in this process: one exchange for each event loop that has channels."""

import asyncio
import logging
import os
import secrets
import weakref
from collections.abc import Callable
from contextlib import suppress

from iacplatform.base.envelopes import Envelope, MalformedEnvelope
from iacplatform.base.mailboxes import Mailboxes
from iacplatform.base.notifications import Listener, Publisher

logger = logging.getLogger(__name__)

LISTENING_SECONDS = 5
"""A new channel waits this long for the connection; one that was opened without it gets a "resync" once it is there."""


class Exchange:
    """The channels and the connections of one event loop; the connections close when the loop ends."""

    def __init__(self, origin: str, capacity_of: Callable[[str], int]) -> None:
        self.mailboxes = Mailboxes(capacity_of)
        self.publisher = Publisher()
        self._origin = origin
        self._loop = asyncio.get_running_loop()
        self._listener = Listener(self._take, self.mailboxes.resync)
        self.work = self._loop.create_task(self._work())

    async def _work(self) -> None:
        try:
            await self._listener.run()
        finally:
            await self.publisher.close()

    def _take(self, payload: str) -> None:
        try:
            envelope = Envelope.parse(payload)
        except MalformedEnvelope as error:  # of another release of ours, perhaps: a hint was missed
            logger.warning(str(error))
            return self.mailboxes.resync()
        return self.mailboxes.put(envelope) if envelope.origin != self._origin else None

    async def listening(self) -> None:
        """Return as soon as messages of other processes are heard, or when that takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LISTENING_SECONDS):
                await self._listener.listening.wait()

    def open_while_held(self, channel: str) -> None:
        """Open the channel until its name is garbage.

        Channels has no call that closes a channel, and may end a consumer without cancelling its receive()
        (`await_many_dispatch`, when a message and the end come together).
        """
        self.mailboxes.open(channel)
        weakref.finalize(channel, self._close_soon, str(channel)).atexit = False

    def _close_soon(self, channel: str) -> None:
        with suppress(RuntimeError):  # the loop is closed, and its channels with it
            self._loop.call_soon_threadsafe(self.mailboxes.close, channel)

    def put_soon(self, envelope: Envelope) -> None:
        """Deliver here, from whatever thread; raises RuntimeError when the loop is closed."""
        self._loop.call_soon_threadsafe(self.mailboxes.put, envelope)

    async def close(self) -> None:
        """End the connections and forget the channels."""
        self.work.cancel()
        await asyncio.wait([self.work])


class Exchanges:
    """The exchanges of this process. A forked child starts without those of its parent."""

    def __init__(self, capacity_of: Callable[[str], int]) -> None:
        self._capacity_of = capacity_of
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._origin = secrets.token_hex(8)
        self._by_loop: dict[asyncio.AbstractEventLoop, Exchange] = {}

    def _here(self) -> dict[asyncio.AbstractEventLoop, Exchange]:
        if self._process != os.getpid():
            self._start()
        return self._by_loop

    @property
    def origin(self) -> str:
        """The name that this process has on its envelopes."""
        self._here()
        return self._origin

    def __len__(self) -> int:
        return len(self._here())

    def of_running_loop(self) -> Exchange | None:
        """Return the exchange of the running event loop, if it has channels."""
        return self._here().get(asyncio.get_running_loop())

    def open(self) -> Exchange:
        """Return the exchange of the running event loop, made when it has none."""
        self._forget_closed_loops()
        by_loop, loop = self._here(), asyncio.get_running_loop()
        if loop not in by_loop:
            by_loop[loop] = Exchange(self._origin, self._capacity_of)
            by_loop[loop].work.add_done_callback(lambda _: by_loop.pop(loop, None))
        return by_loop[loop]

    def _forget_closed_loops(self) -> None:
        for loop in tuple(self._here()):
            if loop.is_closed():
                self._by_loop.pop(loop, None)

    def hold(self, channel: str) -> bool:
        """Say whether the channel is open in this process."""
        return any(channel in exchange.mailboxes for exchange in tuple(self._here().values()))

    def put(self, envelope: Envelope) -> None:
        """Deliver to the channels of this process, from whatever thread."""
        self._forget_closed_loops()
        for exchange in tuple(self._here().values()):
            with suppress(RuntimeError):  # its loop was closed this moment
                exchange.put_soon(envelope)
