"""A run from its beginning to its verdict: people work while everything breaks; then nothing breaks, and all comes to rest."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
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
from tests.chaos.fleet import faults as of_fleet
from tests.chaos.fleet import sights
from tests.chaos.fleet.promises import broken_in_the_end
from tests.chaos.fleet.promises import restless as restless_pods
from tests.chaos.fleet.stage import Fleet
from tests.chaos.fleet.trouble import FleetTrouble
from tests.chaos.people import Person
from tests.chaos.rest import restless
from tests.chaos.rows import Rows
from tests.chaos.trouble import Trouble
from tests.chaos.verdict import Evidence
from tests.chaos.watch import Watch
from tests.cluster.api import Refused
from tests.e2e.client import Client
from tests.e2e.platform import TOKEN
from tests.e2e.work import Workspace

PEOPLE = 3
AUTO_APPLY = 3
"""Every third workspace applies without asking."""

OF_PODS = 5
"""Workspaces that run on pods."""

REST_SECONDS = 90


@dataclass
class Storm:
    """`broken`: promises that were seen broken, as sentences."""

    cast: Cast
    fleet: Fleet
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
        watch = Watch(self.cast, self.fleet, self.answers)
        async with _beside(self.cast.tend()):
            workspaces, of_pods = await self._furnish()
            async with _beside(watch.go_on()):
                async with _beside(*(person.live() for person in self._people(workspaces, of_pods))):
                    await self._break_everything()
                await self._come_to_rest()
        self.figures.samples, self.figures.restarts = watch.samples, self.cast.restarts
        self.broken += [*watch.broken, *verdict.faults(self.evidence)]
        self.broken += broken_in_the_end(self.fleet, Rows(self.cast.home))
        found = tracebacks.unexpected(self.cast.home / "logs")
        self.broken += [f"a traceback ({count} times): {end}" for end, count in found.items()]

    async def _break_everything(self) -> None:
        """Do all faults of both plans in their time, and heal whatever is left of them."""
        figures = self.figures
        trouble, of_pods = Trouble(self.cast), FleetTrouble(self.fleet, self.cast.doors[stage.PODS])
        async with asyncio.TaskGroup() as group:
            group.create_task(trouble.rage(faults.planned(figures.seed, figures.minutes)))
            group.create_task(of_pods.rage(of_fleet.planned(figures.seed, figures.minutes)))
        trouble.heal()
        figures.faults, figures.faults_of_pods = trouble.done, of_pods.done

    async def _furnish(self) -> tuple[list[str], list[str]]:
        """Start the agents, and make the workspaces that run on them, and those that run on pods; return their ids."""
        files = Configurations(self.cast.home, self.figures.seed)
        made = []
        for names, configuration, count in ((stage.FAKES, files.fake, 8), (stage.REALS, files.real, 3)):
            pool, token = await asyncio.to_thread(self._client.pool)
            await self.cast.start_agents(names, token)
            for number in range(count):
                facts = {"execution_mode": "agent", "pool_id": pool, "auto_apply": number % AUTO_APPLY == 0}
                made.append(await asyncio.to_thread(self._workspace, configuration, facts))
        return made, await asyncio.to_thread(self._of_pods, files.fake)

    def _workspace(self, files: dict[str, str], facts: dict[str, Any]) -> str:
        return Workspace.new(self._client, files, **facts).id

    def _of_pods(self, files: dict[str, str]) -> list[str]:
        """Make the pool of pods, and return the workspaces that run there."""
        self.fleet.furnish(self.cast.platform, self.cast.path)
        facts = [{"auto_apply": number % AUTO_APPLY == 0} for number in range(OF_PODS)]
        return [self.fleet.crew.workspace(files, **fact).id for fact in facts]

    @property
    def _client(self) -> Client:
        return Client(self.cast.url, TOKEN)

    def _people(self, workspaces: list[str], of_pods: list[str]) -> list[Person]:
        """Return people who work everywhere, and one who works with pods only."""
        theirs = [*[workspaces + of_pods] * PEOPLE, of_pods]
        chances = [random.Random(f"person-{number}-{self.figures.seed}") for number in range(len(theirs))]
        known = zip(theirs, chances, strict=True)
        return [Person(self.cast.url, spaces, self.answers, chance) for spaces, chance in known]

    async def _come_to_rest(self) -> None:
        """Wait until nothing waits but for a person, and then until the pool is as small as it can be."""
        begun = time.monotonic()
        for rest, looks in (("tasks", self._restless), ("pods", self._restless_pods)):
            while left := await asyncio.to_thread(looks):
                if time.monotonic() - begun > REST_SECONDS:
                    self.broken += [f"not at rest after {REST_SECONDS} s: {each}" for each in left]
                    break
                self.figures.last[rest] = left[0]
                await asyncio.sleep(0.5)
            self.figures.converged_seconds[rest] = time.monotonic() - begun

    def _restless(self) -> list[str]:
        """Return what does not wait for a person; engines that outlived their agents come to an end, too."""
        try:
            return restless(Rows(self.cast.home).view()) + self._engines()
        except psycopg.OperationalError as error:
            return [f"the database: {error}"]

    def _restless_pods(self) -> list[str]:
        try:
            return [*restless_pods(sights.of(self.fleet, Rows(self.cast.home)), self.fleet.secrets())]
        except (psycopg.OperationalError, httpx.TransportError, Refused) as error:
            return [f"database or cluster: {error}"]

    def _engines(self) -> list[str]:
        of_agents = [pid for name in stage.AGENTS for pid in self.cast.engines(name)]
        return [f"engine {pid}: {processes.arguments(pid)}" for pid in of_agents + self.fleet.engines()]


@asynccontextmanager
async def blown(home: Path, seed: int, minutes: float, fleet: Fleet) -> AsyncIterator[Storm]:
    """Return a storm that is over; who it was done to ends with the context."""
    async with Cast.on_stage(home) as cast:
        figures = Figures(seed=seed, minutes=minutes)
        storm = Storm(cast=cast, fleet=fleet, figures=figures, answers=Answers(), broken=[])
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
