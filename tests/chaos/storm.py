"""A run from its beginning to its verdict: people work while everything breaks; then nothing breaks, and all comes to rest."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests import processes
from tests.chaos import cast as stage
from tests.chaos import faults, tracebacks, verdict
from tests.chaos.answers import Answers
from tests.chaos.cast import Cast
from tests.chaos.configurations import Configurations
from tests.chaos.figures import Figures
from tests.chaos.people import Person
from tests.chaos.rest import restless
from tests.chaos.rows import LIVE_AND_BROKEN, Rows
from tests.chaos.trouble import Trouble
from tests.chaos.verdict import Evidence
from tests.e2e.client import Client
from tests.e2e.platform import TOKEN
from tests.e2e.work import Workspace

PEOPLE = 3
AUTO_APPLY = 3
"""Every third workspace applies without asking."""

REST_SECONDS = 90
LOOK_SECONDS = 2.0
UNEXPLAINED = "iac_tasks_unexplained "


@dataclass
class Storm:
    """`broken`: promises that were seen broken, as sentences."""

    cast: Cast
    figures: Figures
    answers: Answers
    broken: list[str]

    @property
    def evidence(self) -> Evidence:
        """What there is to judge now."""
        rows = Rows(self.cast.home)
        folder = Configurations(self.cast.home, self.figures.seed)
        return Evidence(
            view=rows.view(), rows=rows, answers=self.answers, ledger=str(folder.ledger), copies=folder.copies
        )

    async def rage(self) -> None:
        """Let people and faults do what they do, then heal everything and wait for rest."""
        trouble = Trouble(self.cast)
        async with _beside(self.cast.tend(), self._watch()):
            workspaces = await self._furnish()
            async with _beside(*(person.live() for person in self._people(workspaces))):
                await trouble.rage(faults.planned(self.figures.seed, self.figures.minutes))
            trouble.heal()
            await self._come_to_rest()
        self.figures.faults, self.figures.restarts = trouble.done, self.cast.restarts
        self.broken += verdict.faults(self.evidence)
        found = tracebacks.unexpected(self.cast.home / "logs")
        self.broken += [f"a traceback ({count} times): {end}" for end, count in found.items()]

    async def _furnish(self) -> list[str]:
        """Start the agents, and make the workspaces that run on them; return their ids."""
        files = Configurations(self.cast.home, self.figures.seed)
        made = []
        for names, configuration, count in ((stage.FAKES, files.fake, 8), (stage.REALS, files.real, 3)):
            pool, token = await asyncio.to_thread(self._client.pool)
            await self.cast.start_agents(names, token)
            for number in range(count):
                facts = {"execution_mode": "agent", "pool_id": pool, "auto_apply": number % AUTO_APPLY == 0}
                made.append(await asyncio.to_thread(self._workspace, configuration, facts))
        return made

    def _workspace(self, files: dict[str, str], facts: dict[str, Any]) -> str:
        return Workspace.new(self._client, files, **facts).id

    @property
    def _client(self) -> Client:
        return Client(self.cast.url, TOKEN)

    def _people(self, workspaces: list[str]) -> list[Person]:
        chances = [random.Random(f"person-{number}-{self.figures.seed}") for number in range(PEOPLE)]  # noqa: S311
        return [Person(self.cast.url, workspaces, self.answers, chance) for chance in chances]

    async def _watch(self) -> None:
        """Look every few seconds whether a task breaks the promise, past the platform and in its own metrics."""
        async with httpx.AsyncClient(timeout=10) as http:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                self._look()
                for url in self.cast.webs.values():
                    await self._look_at(http, f"{url}/metrics")

    def _look(self) -> None:
        with suppress(psycopg.OperationalError):  # the database is away just now
            self.broken += [f"breaks the promise: {row}" for row in Rows(self.cast.home).all(LIVE_AND_BROKEN)]
            self.figures.samples += 1

    async def _look_at(self, http: httpx.AsyncClient, url: str) -> None:
        try:
            answer = await http.get(url)
        except httpx.TransportError:
            return
        self.answers.note("GET /metrics", answer.status_code, "" if answer.is_success else answer.text)
        if answer.is_success and f"\n{UNEXPLAINED}0.0" not in answer.text:
            self.broken.append(f"the metrics say that tasks are unexplained: {answer.text}")

    async def _come_to_rest(self) -> None:
        begun = time.monotonic()
        while left := await asyncio.to_thread(self._restless):
            if time.monotonic() - begun > REST_SECONDS:
                self.broken += [f"not at rest after {REST_SECONDS} s: {each}" for each in left]
                break
            await asyncio.sleep(0.5)
        self.figures.converged_seconds = time.monotonic() - begun

    def _restless(self) -> list[str]:
        """Return what does not wait for a person; engines that outlived their agents come to an end, too."""
        try:
            return restless(Rows(self.cast.home).view()) + self._engines()
        except psycopg.OperationalError as error:
            return [f"the database: {error}"]

    def _engines(self) -> list[str]:
        return [f"engine {pid}: {processes.arguments(pid)}" for name in stage.AGENTS for pid in self.cast.engines(name)]


@asynccontextmanager
async def blown(home: Path, seed: int, minutes: float) -> AsyncIterator[Storm]:
    """Return a storm that is over; who it was done to ends with the context."""
    async with Cast.on_stage(home) as cast:
        storm = Storm(cast=cast, figures=Figures(seed=seed, minutes=minutes), answers=Answers(), broken=[])
        await storm.rage()
        yield storm


@asynccontextmanager
async def _beside(*lives: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let these go on until the context is left. Raises what one of them raised."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(life) for life in lives]
        yield
        for task in tasks:
            task.cancel()
