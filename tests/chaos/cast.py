"""Everybody on the stage: database, web servers, workers, agents, and the doors of the network between them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from psycopg.conninfo import conninfo_to_dict

from iacplatform.postgres import address
from tests.chaos.proxy import Door, Place
from tests.e2e import surroundings
from tests.e2e.parts import REPOSITORY, Part
from tests.e2e.platform import Platform

LEASE_SECONDS = 20
SERVERS = ("web-1", "web-2", "jobs-1", "jobs-2")
FAKES = tuple(f"agent-{number}" for number in range(1, 7))
REALS = ("real-1", "real-2")
AGENTS = (*FAKES, *REALS)
PEOPLE = "people"
PODS = "pods"
"""The door of all agents in pods: their address of the platform is one."""

START_SECONDS = 90
TEND_SECONDS = 0.5
REST_SECONDS = 2.0
"""A process that ended is started again after this, as systemd's RestartSec would have it."""


class Cast:
    """`parts` by name; `doors` by the name of who goes through them. Whoever `stays_down` is not started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.platform = Platform(home)
        self.parts: dict[str, Part] = {"database": self.platform.database}
        self.doors: dict[str, Door] = {}
        self.webs: dict[str, str] = {}
        self.stays_down: set[str] = set()
        self.restarts = 0

    @classmethod
    @asynccontextmanager
    async def on_stage(cls, home: Path) -> AsyncIterator["Cast"]:
        """Start everybody but agents and pods; end all of them afterwards."""
        cast = cls(home)
        try:
            cast.platform.prepare()
            await cast._start_servers()
            yield cast
        finally:
            await cast._end()

    @property
    def url(self) -> str:
        """Where people go in."""
        return f"http://127.0.0.1:{self.doors[PEOPLE].port}"

    @property
    def path(self) -> str:
        """Where agents find the fake engine before any other."""
        return f"{self._engine_folder()}:{os.environ['PATH']}"

    async def start_agents(self, names: Iterable[str], token: str) -> None:
        """Start agents of the pool that the token belongs to; each has a door of its own."""
        for name in names:
            door = await self._open(name, self._web_places())
            environment = surroundings.of_agent(self.home, f"http://127.0.0.1:{door.port}", name, token)
            if name in FAKES:
                environment["PATH"] = self.path
            self._add(name, "-m", "agents.runner", environment=environment).start()

    async def tend(self) -> None:
        """Start again whatever has ended, for ever."""
        while True:
            for name, part in self.parts.items():
                if not part.is_running and name not in self.stays_down:
                    await asyncio.sleep(REST_SECONDS)
                    self._start_again(name, part)
            await asyncio.sleep(TEND_SECONDS)

    def engines(self, name: str) -> list[int]:
        """Return the processes of engines of an agent."""
        return self.platform.engines(name)

    def _start_again(self, name: str, part: Part) -> None:
        if not part.is_running and name not in self.stays_down:
            self.restarts += 1
            part.start()

    async def _start_servers(self) -> None:
        self.webs = {name: f"http://127.0.0.1:{surroundings.free_port()}" for name in SERVERS if name.startswith("web")}
        for guests in (PEOPLE, PODS):
            await self._open(guests, self._web_places())
        self.platform.url = self.url
        for name in SERVERS:
            door = await self._open(f"{name} to database", [self._database_place()])
            command = surroundings.daphne(self.webs[name]) if name in self.webs else ["manage.py", "qcluster"]
            self._add(name, *command, environment=self._server_environment(door)).start()
        async with asyncio.timeout(START_SECONDS):
            for url in self.webs.values():
                await _answers(url)

    def _server_environment(self, door: Door) -> dict[str, str]:
        known = conninfo_to_dict(address(self.home))
        url = f"postgresql://{known['user']}:{known['password']}@127.0.0.1:{door.port}/{known['dbname']}"
        return {
            **self.platform.environment,
            "DATABASE_URL": url,
            "IACPLATFORM_URL": f"http://127.0.0.1:{self.doors[PODS].port}",
            "IACPLATFORM_AGENT_LEASE_SECONDS": str(LEASE_SECONDS),
            "IACPLATFORM_WORKERS": "1",
        }

    def _database_place(self) -> Place:
        known = conninfo_to_dict(address(self.home))
        return Place(file=f"{known['host']}/.s.PGSQL.{known.get('port', 5432)}")

    def _web_places(self) -> list[Place]:
        return [Place(port=int(url.rpartition(":")[2])) for url in self.webs.values()]

    async def _open(self, name: str, places: list[Place]) -> Door:
        door = self.doors[name] = Door(name, places)
        await door.open()
        return door

    def _add(self, name: str, *command: str, environment: dict[str, str]) -> Part:
        log = self.platform.logs / f"{name}.log"
        part = self.parts[name] = Part(name=name, command=command, environment=environment, log=log)
        return part

    def _engine_folder(self) -> Path:
        """Return a folder with a `terraform` of ours in it."""
        folder = self.home / "bin"
        if not folder.exists():
            folder.mkdir()
            program = folder / "terraform"
            program.write_text(
                f"#!{sys.executable} -ES\nimport sys\nsys.path.insert(0, {str(REPOSITORY)!r})\n"
                "from tests.chaos.engine import main\nsys.exit(main(sys.argv[1:]))\n"
            )
            program.chmod(0o755)
        return folder

    async def _end(self) -> None:
        for name, part in self.parts.items():
            if name != "database":
                part.kill()
        for door in self.doors.values():
            await door.close()
        self.platform.__exit__()


async def _answers(url: str) -> None:
    async with httpx.AsyncClient() as http:
        while True:
            try:
                if (await http.get(f"{url}/healthz")).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.2)
