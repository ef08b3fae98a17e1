"""An installation of its own for a benchmark: database, web server, API token; gone afterwards."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from iacplatform import postgres
from iacplatform.postgres.launcher import Launcher

FOLDER = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@dataclass(frozen=True)
class Installation:
    """A running server. `url`: its address; `token`: an API token of its administrator."""

    home: Path
    url: str
    token: str
    database_url: str
    environment: dict[str, str]

    def client(self) -> httpx.Client:
        """Return a client of the API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=30)

    def pool_token(self, pool_name: str = "local") -> str:
        """Return a new token of a pool."""
        with self.client() as api:
            pools = api.get("/pools").raise_for_status().json()["results"]
            pool_id = next(pool["pool_id"] for pool in pools if pool["name"] == pool_name)
            token: str = api.post(f"/pools/{pool_id}/tokens", json={}).raise_for_status().json()["token"]
            return token


@contextmanager
def installed(settings: dict[str, str] | None = None, *, is_logged: bool = False) -> Iterator[Installation]:
    """Start the database (with these server settings) and the web server, and end them afterwards.

    `is_logged`: `web.log` has a line for each request, with the size of its answer.
    """
    home = Path(tempfile.mkdtemp(prefix="iac-benchmark-"))
    try:
        with Launcher(home, settings=settings):
            here = _prepare(home)
            with _web(here, is_logged=is_logged):
                yield here
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def agent(here: Installation, name: str, workdir: Path) -> Iterator[None]:
    """Run a real agent of the pool `local`."""
    command = [sys.executable, "-m", "agents.runner", "--server", here.url, "--name", name, "--workdir", str(workdir)]
    environment = {**os.environ, "IAC_AGENT_TOKEN": here.pool_token()}
    with process(command, environment, workdir.parent / f"{name}.log"):
        yield


def _prepare(home: Path) -> Installation:
    url, token = f"http://127.0.0.1:{free_port()}", secrets.token_urlsafe(32)
    own = {"IACPLATFORM_HOME": str(home), "IACPLATFORM_URL": url, "IACPLATFORM_BOOTSTRAP_TOKEN": token}
    environment = {**{key: value for key, value in os.environ.items() if key != "DATABASE_URL"}, **own}
    for command in (["migrate", "-v", "0"], ["bootstrap", "--json"]):
        subprocess.run(
            [sys.executable, "manage.py", *command], cwd=FOLDER, env=environment, check=True, stdout=subprocess.DEVNULL
        )
    return Installation(home, url, token, postgres.address(home), environment)


@contextmanager
def _web(here: Installation, *, is_logged: bool) -> Iterator[None]:
    place = ["-b", "127.0.0.1", "-p", here.url.rpartition(":")[2], "iacplatform.asgi:application"]
    command = [sys.executable, "-m", "daphne", "-v", str(int(is_logged)), *place]
    with process(command, here.environment, here.home / "web.log"):
        wait_for(f"{here.url}/healthz")
        yield


@contextmanager
def process(command: list[str], environment: dict[str, str], output: Path) -> Iterator[int]:
    """Run a program beside the benchmark, its output in a file; yield its process id."""
    with output.open("wb") as log:
        child = subprocess.Popen(command, cwd=FOLDER, env=environment, stdout=log, stderr=log)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait(30)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_for(address: str, *, is_well: bool = True) -> None:
    """Return as soon as the address answers; with success, where `is_well`."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            if httpx.get(address, timeout=2).is_success or not is_well:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"{address} did not answer within {START_SECONDS} s.")
