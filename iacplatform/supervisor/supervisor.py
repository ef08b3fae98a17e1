"""Starts steps and services, notices the first fault, and ends everything in order."""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from iacplatform.supervisor.errors import ServiceSilent, StepFailed
from iacplatform.supervisor.keeper import Keeper
from iacplatform.supervisor.output import Output
from iacplatform.supervisor.process import Process, Processes, ending
from iacplatform.supervisor.service import ENDINGS, Rank, Service, Step

Result = TypeVar("Result")


class Supervisor:
    """A context: whatever was started in it has ended when it is left. Children run in `folder`."""

    def __init__(self, folder: Path, output: Output) -> None:
        self._folder = folder
        self._output = output
        self._processes = Processes()
        self._ranks: dict[Process, Rank] = {}
        self._keepers: dict[asyncio.Task[None], Keeper] = {}

    async def __aenter__(self) -> Self:
        self._processes.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await _cancel(self._keepers)
        await self._end_all()
        self._processes.__exit__(kind, error, trace)

    async def complete(self, step: Step) -> str:
        """Run a step to its end and return its output; raises StepFailed unless its status is 0."""
        said: list[str] = []
        process = self._processes.start(
            step.command, environment=step.environment, folder=self._folder, take=partial(self._output.line, step.name)
        )
        process.on_output[:] = [said.append]
        self._ranks[process] = step.rank
        status = await self.alongside(_result(process.ended))
        if status:
            raise StepFailed(step.name, ending(status), process.last_words)
        return "\n".join(said)

    def start(self, service: Service) -> Keeper:
        """Start a service and keep it running from now on; its faults come out of the awaited methods."""
        keeper = Keeper(service, self._processes, self._folder, self._output)
        self._keepers[asyncio.create_task(keeper.keep(), name=service.name)] = keeper
        return keeper

    async def alongside(self, main: Coroutine[Any, Any, Result]) -> Result:
        """Return what `main` returns, or raise the first fault of a service that comes before."""
        task = asyncio.create_task(main)
        try:
            await asyncio.wait({task, *self._keepers}, return_when=asyncio.FIRST_COMPLETED)
            _raise_faults(self._keepers)
            return await task
        finally:
            await _cancel({task})

    async def until_it_works(self, keeper: Keeper) -> None:
        """Return when a service has shown that it works; raises ServiceSilent when that takes too long."""
        seconds = keeper.service.start_seconds
        try:
            async with asyncio.timeout(seconds):
                await self.alongside(_result(keeper.works))
        except TimeoutError as error:
            raise ServiceSilent(keeper.service.name, seconds) from error

    async def _end_all(self) -> None:
        began = time.monotonic()
        services = {keeper.process: keeper.service.rank for keeper in self._keepers.values() if keeper.process}
        ranks = {**self._ranks, **services}
        for rank in Rank:
            await _end(rank, [process for process, its in ranks.items() if its == rank], began)


async def _end(rank: Rank, processes: Iterable[Process], began: float) -> None:
    """End the processes of one rank within the seconds that are set for it, counted from `began`."""
    left = {process.ended: process for process in processes if not process.ended.done()}
    for number, until in ENDINGS[rank]:
        for process in left.values():
            process.signal(number)
        await _wait(left, until - (time.monotonic() - began))
    for process in left.values():
        process.kill()
    await _wait(left, 1.0)


async def _wait(left: dict[asyncio.Future[int], Process], seconds: float) -> None:
    """Wait for the processes `left`, `seconds` at most; those that ended are taken out."""
    if left:
        done, _ = await asyncio.wait(left, timeout=max(seconds, 0))
        for ended in done:
            del left[ended]


async def _cancel(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Return when the tasks have ended, in whatever way."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _result(future: "asyncio.Future[Result]") -> Result:
    """Return the result of a future that others wait for too: to cancel us must not cancel it."""
    return await asyncio.shield(future)


def _raise_faults(keepers: Iterable["asyncio.Task[None]"]) -> None:
    for keeper in keepers:
        if keeper.done():
            keeper.result()
