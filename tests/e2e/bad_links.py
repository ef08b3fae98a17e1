"""Links between an agent and the platform that are bad in one way each, for as long as the link lives."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import ClassVar

from tests.chaos.proxy import Connection, Door, Place

DELAY_SECONDS = 0.1
"""The delay is the fault that is played: a link across the world, or one of ten kilobytes a second. Nothing is waited
for."""
TRICKLE_BYTES = 1024
BREAK_BYTES = 4096


class Late(Connection):
    """Each piece arrives after a while."""

    async def deliver(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        """Wait, and hand it on."""
        await asyncio.sleep(DELAY_SECONDS)
        await super().deliver(piece, sink)


class Narrow(Connection):
    """Ten kilobytes a second."""

    async def deliver(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        """Hand it on little by little."""
        for start in range(0, len(piece), TRICKLE_BYTES):
            await asyncio.sleep(DELAY_SECONDS)
            await super().deliver(piece[start : start + TRICKLE_BYTES], sink)


class Brittle(Connection):
    """Is reset in the middle of whatever goes through it after so many bytes; the next connection is a new one."""

    async def deliver(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        """Hand on what comes before the break."""
        left = max(0, BREAK_BYTES - (self.carried - len(piece)))
        await super().deliver(piece[:left], sink)
        if self.carried > BREAK_BYTES:
            self.reset()


class Ragged(Connection):
    """Is reset after some number of bytes, another one for each link: the same numbers in each run."""

    chance: ClassVar[random.Random] = random.Random(6)

    async def deliver(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        """Hand on what comes before the break."""
        left = self.length - (self.carried - len(piece))
        await super().deliver(piece[: max(0, left)], sink)
        if left < len(piece):
            self.reset()

    @cached_property
    def length(self) -> int:
        """How many bytes this link carries."""
        return self.chance.randint(1000, 30_000)


class Forgetful(Connection):
    """The first answer to each kind of request that writes a state is lost: the platform did it, and nobody hears so."""

    lost: ClassVar[set[bytes]] = set()
    awaits_loss = False

    async def deliver(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        """Lose the answer together with the link."""
        if sink is self.near and self.awaits_loss:
            self.reset()
            return
        verb, _, rest = piece.partition(b" ")
        is_state = sink is self.far and b"/state" in rest.partition(b"\r\n")[0]
        if is_state and verb in {b"LOCK", b"POST", b"UNLOCK"} and verb not in self.lost:
            self.lost.add(verb)
            self.awaits_loss = True
        await super().deliver(piece, sink)


@asynccontextmanager
async def to(url: str, kind: type[Connection]) -> AsyncIterator[str]:
    """Return the address of the platform behind links of this kind."""
    door = Door(kind.__name__, [Place(port=int(url.rpartition(":")[2]))], kind)
    await door.open()
    try:
        yield f"http://127.0.0.1:{door.port}"
    finally:
        await door.close()
