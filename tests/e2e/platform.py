"""A whole platform of real processes in a folder of its own: database, web, jobs, and as many agents as a test wants."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg

from iacplatform.postgres import address
from tests import processes
from tests.e2e import surroundings
from tests.e2e.client import Client, caller
from tests.e2e.parts import REPOSITORY, Part
from tests.waiting import until

TOKEN = "the-token-of-the-end-to-end-tests-0123456789"
PASSWORD = "an-administrator-of-the-tests"

_anybody = caller(timeout=30)


class Platform:
    """`web`, `database` and `jobs` are its parts, `agents` all agents by name. A context: everything ends with it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{surroundings.free_port()}"
        self.agents: dict[str, Part] = {}
        self.more: list[Part] = []
        self.logs = home / "logs"
        self.logs.mkdir(parents=True)
        self.environment = surroundings.of_platform(home, self.url)
        self.database = self.part("database", "-m", "iacplatform.postgres", "--home", str(home))
        self.web = self.part("web", *surroundings.daphne(self.url))
        self.jobs = self.part("jobs", "manage.py", "qcluster")

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.rest()

    def rest(self) -> None:
        """End all processes; `heal` brings back web server, jobs and database."""
        for part in (*self.agents.values(), *self.more, self.jobs, self.web):
            part.kill()
        if self.database.is_running:
            self.database.stop()
        self.end_orphans()

    @property
    def parts(self) -> list[Part]:
        """All parts that were started at some time."""
        return [self.database, self.web, self.jobs, *self.more, *self.agents.values()]

    def client(self, url: str = "") -> Client:
        """Return the administrator's way in."""
        return Client(url or self.url, TOKEN)

    def metrics(self) -> str:
        """Return what the web server tells of itself in numbers."""
        return _anybody.get(f"{self.url}/metrics").text

    def part(self, name: str, *command: str, **environment: str) -> Part:
        """Return a part of this platform that is not started yet."""
        ours = {**self.environment, **environment}
        return Part(name=name, command=command, environment=ours, log=self.logs / f"{name}.log")

    def start_database(self) -> None:
        """Return when the database accepts connections."""
        before = self.database.output().count("ready")
        self.database.start()
        self.database.until_it_says("ready", times=before + 1, seconds=120)

    def start_web(self, part: Part | None = None, url: str = "", environment: Mapping[str, str] | None = None) -> None:
        """Return when the web server answers."""
        web = part or self.web
        web.start(**(environment or {}))
        until(f"{web.name} answers", lambda: _is_healthy(url or self.url), seconds=120)

    def another_web(self, name: str, **environment: str) -> tuple[Part, str]:
        """Return one more web server and its address; it answers."""
        url = f"http://127.0.0.1:{surroundings.free_port()}"
        web = self.part(name, *surroundings.daphne(url), **environment)
        self.more.append(web)
        self.start_web(web, url)
        return web, url

    def kill_database(self) -> None:
        """Kill the server itself (`kill -9` of the postmaster); its launcher sees that and ends."""
        os.kill(self._postmaster(), signal.SIGKILL)
        self.database.ended()

    def agent(self, name: str, token: str, *, connected: bool = True, **environment: str) -> Part:
        """Start an agent, again in its work folder when it had one; return it, connected unless told otherwise."""
        part = self.agents.get(name) or self.part(name, "-m", "agents.runner")
        self.agents[name] = part
        part.environment = {**surroundings.of_agent(self.home, self.url, name, token), **environment}
        before = part.output().count("Connected as")
        part.start()
        if connected:
            part.until_it_says("Connected as", times=before + 1)
        return part

    def workdir(self, name: str) -> Path:
        """Return the work folder of an agent."""
        return surroundings.workdir(self.home, name)

    def engines(self, name: str) -> list[int]:
        """Return the processes of engines that run in an agent's work folder, with those that they started."""
        return processes.of(self.workdir(name) / "tasks")

    def end_orphans(self) -> None:
        """Kill whatever still belongs to this platform and is none of its running parts."""
        for pid in processes.of(self.home):
            if not self._is_part(pid):
                with suppress(ProcessLookupError):  # it may have ended in this moment
                    os.kill(pid, signal.SIGKILL)

    def heal(self, **environment: str) -> None:
        """Bring up what an earlier test has ended, web server and jobs with this more in theirs, and end its agents."""
        for part in (*self.agents.values(), *self.more):
            part.kill()
        self.agents.clear()
        self.more.clear()
        if not self.database.is_running:
            self.start_database()
        self._start_server(environment)
        self.end_orphans()

    def _start_server(self, environment: Mapping[str, str]) -> None:
        if self.jobs.is_running and self.jobs.extra != environment:
            self.jobs.stop()
        if self.web.extra != environment:
            self.web.kill()
        if not self.jobs.is_running:
            self.jobs.start(**environment)
        if not self.web.is_running:
            self.start_web(environment=environment)

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query to the platform's database: for what no API tells."""
        with psycopg.connect(address(self.home), autocommit=True) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def prepare(self) -> None:
        """Start the database, and make in it what a new platform has."""
        self.start_database()
        self._run("migrate", "-v", "0")
        self._run("bootstrap", IACPLATFORM_BOOTSTRAP_TOKEN=TOKEN, IACPLATFORM_ADMIN_PASSWORD=PASSWORD)

    def _begin(self) -> None:
        self.prepare()
        self.jobs.start()
        self.start_web()

    def _run(self, *arguments: str, **environment: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}: {done.stdout}{done.stderr}"

    def _postmaster(self) -> int:
        files = list((self.home / "postgres").glob("*/postmaster.pid"))
        return int(files[0].read_text().splitlines()[0])

    def _is_part(self, pid: int) -> bool:
        """Return whether a process is one of the running parts, or was started by one."""
        running = {part.pid for part in self.parts if part.is_running}
        return not running.isdisjoint(processes.line_of(pid))


def _is_healthy(url: str) -> bool:
    try:
        return _anybody.get(f"{url}/healthz", timeout=10).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
