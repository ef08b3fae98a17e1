"""From the commit of a task to its offer, read from the socket; beside procrastinate's defer → start.

Both run on one PostgreSQL, turn by turn, one job at a time on an idle system, as a person meets it. The beginning is
the commit's own time stamp in both cases (`track_commit_timestamp`), the end the clock of this process when it holds
the offer, or when procrastinate calls the job's function.
"""

import asyncio
import time
from typing import Any

import httpx
import procrastinate
import psycopg
import websockets

from agents import protocol
from agents.protocol import Accept, Engine, Finished, FromAgent, Heartbeat, Hello, Offer, Received, Start
from benchmarks import figures
from benchmarks.installation import Installation, installed

ROUNDS = 7
SAMPLES = 40
"""Of each side in each round."""

Seconds = float


class Agent:
    """A simulated agent: takes every offer and ends it at once."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def greet(self) -> None:
        """Open the session."""
        engines = (Engine(name="terraform", version="1.11.4"),)
        facts: dict[str, Any] = {"name": "simulated", "instance": "simulated", "os": "linux", "arch": "amd64"}
        hello = Hello(versions=("1",), capacity=1, engines=engines, agent_version="0", work=(), **facts)
        await self.say(hello)
        await self.hear(protocol.Welcome)

    async def say(self, word: FromAgent) -> None:
        """Send a word."""
        await self.socket.send(protocol.dump(word))

    async def hear(self, kind: type[Any]) -> Any:
        """Return the next word of this kind."""
        while True:
            word = protocol.parse_from_server(await asyncio.wait_for(self.socket.recv(), 10))
            if isinstance(word, kind):
                return word

    async def finish(self, offer: Offer) -> None:
        """Accept the offer and end its attempt."""
        await self.say(Accept(task=offer.task, epoch=offer.epoch))
        await self.hear(Start)
        facts: dict[str, Any] = {"exit_code": 1, "seconds": 0.0, "log_bytes": 0, "error_message": "Nothing to do."}
        await self.say(Finished(task=offer.task, epoch=offer.epoch, outcome="failed", **facts))
        await self.hear(Received)


async def ours(agent: Agent, api: httpx.AsyncClient, workspace: str, database: Any) -> list[Seconds]:
    """Return the latencies of one round of tasks."""
    ends: dict[int, float] = {}
    await agent.say(Heartbeat(work=()))
    for _ in range(SAMPLES):
        created = asyncio.create_task(api.post(f"/workspaces/{workspace}/tasks", json={"task_type": "plan"}))
        offer = await agent.hear(Offer)
        ends[offer.task] = time.time()
        (await created).raise_for_status()
        await agent.finish(offer)
    query = "SELECT task_id, pg_xact_commit_timestamp(xmin) FROM tasks_taskevent WHERE event = 'created'"
    rows = await (await database.execute(query)).fetchall()
    return [ends[task] - committed.timestamp() for task, committed in rows if task in ends]


async def theirs(app: procrastinate.App, started: asyncio.Queue[float], database: Any) -> list[Seconds]:
    """Return the latencies of one round of procrastinate's jobs."""
    ends: dict[int, float] = {}
    for _ in range(SAMPLES):
        job = await app.configure_task("nothing").defer_async()
        ends[job] = await asyncio.wait_for(started.get(), 10)
        await asyncio.sleep(0.02)  # the worker writes the end of the job, as our agent does above
    query = "SELECT job_id, pg_xact_commit_timestamp(xmin) FROM procrastinate_events WHERE type = 'deferred'"
    rows = await (await database.execute(query)).fetchall()
    return [ends[job] - committed.timestamp() for job, committed in rows if job in ends]


async def measure(here: Installation) -> None:
    """Take turns and print the figures."""
    workspace = _workspace(here)
    async with await psycopg.AsyncConnection.connect(here.database_url, autocommit=True) as database:
        await database.execute("CREATE SCHEMA queue")
        connector = procrastinate.PsycopgConnector(
            conninfo=here.database_url, kwargs={"options": "-c search_path=queue,public"}
        )
        app, started = procrastinate.App(connector=connector), asyncio.Queue[float]()

        @app.task(name="nothing")
        async def nothing() -> None:
            started.put_nowait(time.time())

        await database.execute("SET search_path = queue, public")
        async with app.open_async():
            await app.schema_manager.apply_schema_async()
            worker = asyncio.create_task(app.run_worker_async(concurrency=10, install_signal_handlers=False))
            await _take_turns(here, workspace, app, started, database)
            worker.cancel()


async def _take_turns(here: Installation, workspace: str, app: Any, started: Any, database: Any) -> None:
    address = here.url.replace("http", "ws", 1) + "/agents/v1/connect"
    headers = {"Authorization": f"Bearer {here.pool_token()}"}
    api_headers = {"Authorization": f"Bearer {here.token}"}
    mine: list[list[Seconds]] = []
    other: list[list[Seconds]] = []
    async with (
        websockets.connect(address, additional_headers=headers) as socket,
        httpx.AsyncClient(base_url=f"{here.url}/api/v1", headers=api_headers) as api,
    ):
        agent = Agent(socket)
        await agent.greet()
        for number in range(ROUNDS + 1):
            rounds = (await ours(agent, api, workspace, database), await theirs(app, started, database))
            if number:  # the first round warms both up
                mine.append(rounds[0])
                other.append(rounds[1])
    figures.compare("dispatch latency", ours=mine, peer=other, peer_name="procrastinate", goals={50: 1.0, 99: 2.0})


def _workspace(here: Installation) -> str:
    with here.client() as api:
        workspace: str = api.post("/workspaces", json={"name": "latency"}).raise_for_status().json()["workspace_id"]
        files = {"files": {"main.tf": 'resource "terraform_data" "one" {}\n'}}
        api.post(f"/workspaces/{workspace}/configurations", json=files).raise_for_status()
        return workspace


if __name__ == "__main__":
    with installed({"track_commit_timestamp": "on"}) as installation:
        asyncio.run(measure(installation))
