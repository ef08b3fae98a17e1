"""Keeps one service running: started again after each end, later each time, until it is cancelled."""

import asyncio
import time
from pathlib import Path
from typing import Any

from iacplatform.supervisor.backoff import Backoff
from iacplatform.supervisor.errors import ServiceBroken
from iacplatform.supervisor.output import Output
from iacplatform.supervisor.process import Process, Processes, ending
from iacplatform.supervisor.service import LOOK_SECONDS, Service

TRIES = 3
"""Deaths before the first sign of work after which a service is called broken."""


class Keeper:
    """`works` is done when the service has shown its sign for the first time."""

    def __init__(self, service: Service, processes: Processes, folder: Path, output: Output) -> None:
        self.service = service
        self.works: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.process: Process | None = None
        self._processes = processes
        self._folder = folder
        self._output = output
        self._backoff = Backoff()

    async def keep(self) -> None:
        """Run for ever; raises ServiceBroken when the service never worked and died too often."""
        while True:
            await self._pass_obstacle()
            began = time.monotonic()
            how, last_words = await self._live()
            pause = self._backoff.after(time.monotonic() - began)
            if not self.works.done() and self._backoff.deaths >= TRIES:
                raise ServiceBroken(self.service.name, TRIES, how, last_words)
            self._say(f"The child {how}; it is started again in {pause:g} s.")
            await asyncio.sleep(pause)

    async def _pass_obstacle(self) -> None:
        if sentence := self.service.obstacle():
            self._say(sentence)
        while self.service.obstacle():
            await asyncio.sleep(LOOK_SECONDS)

    async def _live(self) -> tuple[str, str]:
        """Return how one life of the service ended, and its last words."""
        try:
            process = self.process = self._start()
        except OSError as error:
            return "could not be started", str(error)
        await self._see_sign(process)
        await asyncio.wait({process.ended})
        return ending(process.ended.result()), process.last_words

    async def _see_sign(self, process: Process) -> None:
        """Return when the process has shown that it works, or has ended."""
        sign = asyncio.create_task(self.service.sign(process))
        awaited: set[asyncio.Future[Any]] = {sign, process.ended}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if sign.done() and not process.ended.done():
                self._note_that_it_works(sign)
        finally:
            sign.cancel()

    def _note_that_it_works(self, sign: asyncio.Task[object]) -> None:
        sign.result()  # raises what went wrong in the sign itself
        if not self.works.done():
            self.works.set_result(None)

    def _start(self) -> Process:
        return self._processes.start(
            self.service.command,
            environment=self.service.environment,
            folder=self._folder,
            descriptors=self.service.descriptors,
            orphaned=self.service.orphaned,
            take=self._say,
        )

    def _say(self, line: str) -> None:
        self._output.line(self.service.name, line)
