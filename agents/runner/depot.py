"""The engine that a task needs: what the agent has, or what it downloads; else `engine_missing`, and what to do."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from agents.protocol import EngineName
from agents.runner import installing, releases
from agents.runner.download import DownloadFailed, Progress
from agents.runner.engines import Binary, Engines
from agents.runner.errors import PhaseFailed
from agents.runner.releases import Mirror, Release, shown

SAY_SECONDS = 5.0
"""How often the log says how far a download is."""

_MIB = 1024 * 1024

Say = Callable[[str], None]
"""Writes a line into the task's log."""


class Depot:
    """Gives out engines. One version is downloaded once, however many tasks and agents want it in the same folder."""

    def __init__(
        self,
        engines: Engines,
        mirrors: Mapping[str, Mirror],
        http: httpx.AsyncClient,
        *,
        agent_name: str,
        seconds: float,
    ) -> None:
        """`seconds`: how long a task waits for a download, its own or another's."""
        self._engines = engines
        self._mirrors = mirrors
        self._http = http
        self._agent_name = agent_name
        self._seconds = seconds

    @property
    def fetches(self) -> tuple[EngineName, ...]:
        """The engines of which it downloads what is missing."""
        return tuple(mirror.engine for mirror in self._mirrors.values() if mirror.address)

    async def engine(self, name: str, version: str, say: Say) -> Binary:
        """Return the engine of this version; when it is empty any that is there, else the mirror's own choice.

        Raises `PhaseFailed`.
        """
        if found := await asyncio.to_thread(self._engines.find, name, version):
            return found
        mirror = self._mirrors[name]
        if not mirror.address:
            raise self._missing(name, version, self._switched_off(mirror))
        return await self._downloaded(mirror.release(version or mirror.version), say)

    async def _downloaded(self, release: Release, say: Say) -> Binary:
        try:
            if not releases.VERSION.fullmatch(release.version):
                raise DownloadFailed("that is no version, such as 1.11.4")
            async with asyncio.timeout(self._seconds):
                return await self._brought(release, say)
        except TimeoutError:
            why = f"{shown(release.archive_address)} was not complete after {self._seconds:.0f} s"
        except DownloadFailed as failure:
            why = str(failure)
        except OSError as error:
            why = f"{self._place(release).parent} cannot be written ({error.strerror})"
        raise self._missing(release.engine, release.version, f"It could not be downloaded: {why}.")

    async def _brought(self, release: Release, say: Say) -> Binary:
        place, name = self._place(release), f"{release.engine} {release.version}"
        async with installing.alone(place, lambda: say(f"Waits for {name}, which is being downloaded already.")):
            if found := await self._found(release):
                return found
            say(f"Downloads {name} from {shown(release.archive_address)}.")
            progress = _spoken(say)
            version_of = self._engines.version_of
            await installing.install(release, place, self._http, progress=progress, version_of=version_of)
            say(f"{name} is here; its SHA-256 is that of the mirror's list.")
        if found := await self._found(release):
            return found
        raise DownloadFailed(f"{place} was there, and does not answer any more")

    async def _found(self, release: Release) -> Binary | None:
        return await asyncio.to_thread(self._engines.find, release.engine, release.version)

    def _place(self, release: Release) -> Path:
        return self._engines.place(release.engine, release.version)

    def _switched_off(self, mirror: Mirror) -> str:
        return f"It downloads none ({releases.mirror_variable(mirror.engine)} is empty)."

    def _missing(self, name: str, version: str, why: str) -> PhaseFailed:
        wanted = f"{name} {version}".strip()
        have = ", ".join(f"{engine.name} {engine.version}" for engine in self._engines.known) or "no engine"
        place = self._engines.place(name, version or "VERSION")
        return PhaseFailed(
            "engine_missing",
            f"Agent {self._agent_name} has no {wanted}; it has {have}. {why} Put the binary on the agent's PATH or at "
            f"{place}, give the agent another {releases.mirror_variable(name)}, or the workspace another version.",
        )


def _spoken(say: Say) -> Progress:
    """Return what tells people every few seconds how much has come."""
    told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= SAY_SECONDS:
            told = time.monotonic()
            say(f"{done / _MIB:.0f}{f' of {total / _MIB:.0f}' if total else ''} MiB have come.")

    return tell
