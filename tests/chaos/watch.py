"""Looks every few seconds, while everything breaks, whether a promise is broken: past the platform, and in its metrics."""

import asyncio
from contextlib import suppress

import httpx
import psycopg

from tests.chaos.answers import Answers
from tests.chaos.cast import Cast
from tests.chaos.fleet import sights
from tests.chaos.fleet.promises import broken_now
from tests.chaos.fleet.stage import Fleet
from tests.chaos.rows import LIVE_AND_BROKEN, Rows

LOOK_SECONDS = 2.0
UNEXPLAINED = "iac_tasks_unexplained "


class Watch:
    """`broken`: what it has seen, as sentences; `samples`: how often it saw the database."""

    def __init__(self, cast: Cast, fleet: Fleet, answers: Answers) -> None:
        self._cast, self._fleet, self._answers = cast, fleet, answers
        self.broken: list[str] = []
        self.samples = 0

    async def go_on(self) -> None:
        """Look, for ever."""
        async with httpx.AsyncClient(timeout=10) as http:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                await asyncio.to_thread(self._look)
                for url in self._cast.webs.values():
                    await self._look_at(http, f"{url}/metrics")

    def _look(self) -> None:
        rows = Rows(self._cast.home)
        with suppress(psycopg.OperationalError):  # the database is away just now
            self.broken += [f"breaks the promise: {row}" for row in rows.all(LIVE_AND_BROKEN)]
            self.broken += broken_now(sights.of(self._fleet, rows))
            self.samples += 1

    async def _look_at(self, http: httpx.AsyncClient, url: str) -> None:
        try:
            answer = await http.get(url)
        except httpx.TransportError:
            return
        self._answers.note("GET /metrics", answer.status_code, "" if answer.is_success else answer.text)
        if answer.is_success and f"\n{UNEXPLAINED}0.0" not in answer.text:
            self.broken.append(f"the metrics say that tasks are unexplained: {answer.text}")
