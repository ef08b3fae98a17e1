"""What idle agents cost a web process, in memory and processor time; beside a bare consumer of Channels.

`python -m benchmarks.idle_agents [AGENTS] [ROUNDS]`. One web process of ours holds so many agents, which beat as real
ones do; then one that serves a bare consumer, with Channels' own layer in memory, holds as many sockets that say the
same words. They take turns, each in a new process. The memory of a socket is what the process grew by since it held a
few, so that modules, threads and connections are there already. A worker sweeps, as it does in an installation.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import monotonic

import psycopg

from agents import protocol
from benchmarks import burden, crowd, figures
from benchmarks.crowd import Crowd
from benchmarks.installation import Installation, free_port, installed, process, wait_for

AGENTS = 2000
ROUNDS = 3
FEW = 100
"""Connected before anything is measured."""
HOLD_SECONDS = 60
GOAL = 1.5

OURS = "iacplatform.asgi:application"
BARE = "benchmarks.bare_consumer:application"

_CONNECTED = "SELECT count(*) FROM agents_agent WHERE session <> '' AND lease_until > iac_now()"
_OLDEST = "SELECT coalesce(extract(epoch FROM max(iac_now() - last_seen_at)), 0) FROM agents_agent WHERE session <> ''"


@dataclass(frozen=True, kw_only=True)
class Held:
    """What it took to hold the crowd. `socket_bytes`: for each; `connecting`: seconds until all were there."""

    socket_bytes: float
    connecting: float
    web_seconds: float  # of processor time in HOLD_SECONDS
    database_seconds: float  # the same, of the whole database


class Bench:
    """An installation whose pool `local` has so many agents."""

    def __init__(self, here: Installation, agents: int, database: psycopg.Connection) -> None:
        self.here, self.agents, self.database = here, agents, database
        self.token = here.pool_token()
        self.oldest: list[float] = []
        """Seconds since the last stored heartbeat of the agent that was worst off, once a second."""

    def held(self, application: str) -> Held:
        """Return what a web process with this application takes."""
        with self._serving(application) as (url, pid):
            return asyncio.run(self._held(application, url, pid))

    async def _held(self, application: str, url: str, pid: int) -> Held:
        async with Crowd(url, self.token) as agents:
            await agents.grow(FEW)
            before, began = burden.memory_bytes(pid), monotonic()
            await agents.grow(self.agents - FEW)
            connecting = monotonic() - began
            await asyncio.sleep(protocol.HEARTBEAT_SECONDS)  # each has beaten
            spent = (burden.cpu_seconds(pid), self._database_seconds())
            await self._hold(agents, application)
            return Held(
                socket_bytes=(burden.memory_bytes(pid) - before) / (self.agents - FEW),
                connecting=connecting,
                web_seconds=burden.cpu_seconds(pid) - spent[0],
                database_seconds=self._database_seconds() - spent[1],
            )

    async def _hold(self, agents: Crowd, application: str) -> None:
        for _ in range(HOLD_SECONDS):
            await asyncio.sleep(1)
            if application == OURS:
                self.oldest.append(self._number(_OLDEST))
        connected = self._number(_CONNECTED) if application == OURS else agents.size
        if agents.ended or connected < self.agents:
            raise SystemExit(f"Of {self.agents} agents {connected:.0f} are connected: {dict(agents.ended)}")

    def _number(self, query: str) -> float:
        row = self.database.execute(query.encode()).fetchone()
        return float(row[0]) if row else 0.0

    def _database_seconds(self) -> float:
        return burden.cpu_seconds_of_children(burden.parent(self.database.info.backend_pid))

    @contextmanager
    def _serving(self, application: str) -> Iterator[tuple[str, int]]:
        port = free_port()
        command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), application]
        with process(command, self.here.environment, self.here.home / "crowded.log") as pid:
            wait_for(f"http://127.0.0.1:{port}/healthz", is_well=application == OURS)
            yield f"http://127.0.0.1:{port}", pid


def measure(bench: Bench, rounds: int) -> None:
    """Take turns and print the figures."""
    turns = [(bench.held(OURS), bench.held(BARE)) for _ in range(rounds)]
    ours, bare = [first for first, _ in turns], [second for _, second in turns]
    ratio = median(a.socket_bytes / b.socket_bytes for a, b in zip(ours, bare, strict=True))
    verdict = "met" if ratio <= GOAL else "MISSED"
    sizes = [f"{median(each.socket_bytes for each in some) / burden.KIB:.1f} KiB" for some in (ours, bare)]
    print(f"{bench.agents} idle agents of one web process, {rounds} runs each, {figures.machine()}")
    print(
        f"  memory of a socket: ours {sizes[0]}, bare consumer {sizes[1]}, ratio {ratio:.2f} (goal {GOAL}: {verdict})"
    )
    print(f"  nobody was offline; longest without a stored heartbeat: {max(bench.oldest):.1f} s")
    for name, some in (("ours", ours), ("bare consumer", bare)):
        print(f"  {name}: {_spent(some)}")


def _spent(some: Sequence[Held]) -> str:
    minute = 60 / HOLD_SECONDS
    web, database = (
        minute * median(each)
        for each in zip(*((held.web_seconds, held.database_seconds) for held in some), strict=True)
    )
    connecting = median(held.connecting for held in some)
    return f"{web:.1f} s of CPU a minute, the database {database:.1f} s; connected within {connecting:.1f} s"


if __name__ == "__main__":
    wanted = [int(argument) for argument in sys.argv[1:]]
    agents, rounds = wanted + [AGENTS, ROUNDS][len(wanted) :]
    crowd.allow_sockets(agents)
    with installed() as here, psycopg.connect(here.database_url, autocommit=True) as database:
        worker = [sys.executable, "manage.py", "qcluster"]
        with process(worker, here.environment, here.home / "worker.log"):
            measure(Bench(here, agents, database), rounds)
