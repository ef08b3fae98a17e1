"""Tasks that do nothing, from their creation to their end, with many simulated agents; beside procrastinate's jobs.

Both on one PostgreSQL, turn by turn: as many tasks as there are agents are made over the API at once, each in a
workspace of its own, and again when all have ended; procrastinate is given as many jobs and runs as many side by side.
With a number of agents, `python -m benchmarks.throughput 500`, the same tasks are ended by that many.
"""

import asyncio
import sys
import time
from typing import Any

import httpx
import procrastinate
import websockets

from agents import protocol
from agents.protocol import Accept, Engine, Finished, Heartbeat, Hello, Offer, Received, Start, Welcome
from benchmarks import figures
from benchmarks.installation import Installation, installed

AGENTS = 50
TASKS = 50
"""At once."""
ROUNDS = 7
GOAL = 1.0

Seconds = float


class Agents:
    """Simulated agents of one slot each, which end whatever they are offered. `ended`: tasks, as they end."""

    def __init__(self, here: Installation, count: int) -> None:
        self.count = count
        self.address = here.url.replace("http", "ws", 1) + "/agents/v1/connect"
        self.headers = {"Authorization": f"Bearer {here.pool_token()}"}
        self.ended: asyncio.Queue[int] = asyncio.Queue()

    async def serve(self, name: str, ready: asyncio.Event) -> None:
        """Be one agent until cancelled."""
        connecting = websockets.connect(self.address, additional_headers=self.headers)
        async with connecting as socket, asyncio.TaskGroup() as doing:
            await socket.send(protocol.dump(_hello(name)))
            doing.create_task(_beat(socket))
            async for text in socket:
                word = protocol.parse_from_server(str(text))
                if isinstance(word, Welcome):
                    ready.set()
                elif isinstance(word, Received):
                    self.ended.put_nowait(word.task)
                elif isinstance(word, Offer | Start):
                    await socket.send(protocol.dump(_answer(word)))


async def ours(agents: Agents, api: httpx.AsyncClient, workspaces: list[str]) -> Seconds:
    """Return how long it took to make and to end the tasks."""
    began = time.perf_counter()
    plans = [api.post(f"/workspaces/{each}/tasks", json={"task_type": "plan"}) for each in workspaces]
    for made in await asyncio.gather(*plans):
        made.raise_for_status()
    for _ in plans:
        await asyncio.wait_for(agents.ended.get(), 60)
    return time.perf_counter() - began


async def theirs(app: procrastinate.App, ended: asyncio.Queue[None]) -> Seconds:
    """Return how long it took to defer and to run as many jobs."""
    began = time.perf_counter()
    await asyncio.gather(*(app.configure_task("nothing").defer_async() for _ in range(TASKS)))
    for _ in range(TASKS):
        await asyncio.wait_for(ended.get(), 60)
    return time.perf_counter() - began


async def measure(here: Installation, count: int) -> None:
    """Take turns and print the figures."""
    agents, headers = Agents(here, count), {"Authorization": f"Bearer {here.token}"}
    readies = [asyncio.Event() for _ in range(count)]
    running = [asyncio.create_task(agents.serve(f"agent-{number}", ready)) for number, ready in enumerate(readies)]
    await asyncio.gather(*(ready.wait() for ready in readies))
    options = {"options": "-c search_path=queue,public"}
    connector = procrastinate.PsycopgConnector(conninfo=here.database_url, kwargs=options)
    app, ended = procrastinate.App(connector=connector), asyncio.Queue[None]()

    @app.task(name="nothing")
    async def nothing() -> None:
        ended.put_nowait(None)

    async with httpx.AsyncClient(base_url=f"{here.url}/api/v1", headers=headers, timeout=60) as api, app.open_async():
        await connector.execute_query_async("CREATE SCHEMA queue")
        await app.schema_manager.apply_schema_async()
        worker = asyncio.create_task(app.run_worker_async(concurrency=TASKS, install_signal_handlers=False))
        await _take_turns(agents, api, _workspaces(here), app, ended)
        worker.cancel()
    for each in running:
        each.cancel()


async def _take_turns(agents: Agents, api: httpx.AsyncClient, workspaces: list[str], app: Any, ended: Any) -> None:
    rounds = [(await ours(agents, api, workspaces), await theirs(app, ended)) for _ in range(ROUNDS + 1)]
    mine, others = zip(*rounds[1:], strict=True)  # the first round warms both up
    what = f"{TASKS} tasks that do nothing, {agents.count} agents"
    figures.ratio(what, ours=mine, peer=others, peer_name="procrastinate", goal=GOAL)


async def _beat(socket: Any) -> None:
    while True:
        await asyncio.sleep(protocol.HEARTBEAT_SECONDS)
        await socket.send(protocol.dump(Heartbeat(work=())))


def _hello(name: str) -> Hello:
    facts: dict[str, Any] = {"name": name, "instance": name, "os": "linux", "arch": "amd64", "agent_version": "0"}
    engines = (Engine(name="terraform", version="1.11.4"),)
    return Hello(versions=("1",), capacity=1, engines=engines, work=(), **facts)


def _answer(word: Offer | Start) -> Accept | Finished:
    if isinstance(word, Offer):
        return Accept(task=word.task, epoch=word.epoch)
    facts: dict[str, Any] = {"exit_code": 1, "seconds": 0.0, "log_bytes": 0, "error_message": "Nothing to do."}
    return Finished(task=word.task, epoch=word.epoch, outcome="failed", **facts)


def _workspaces(here: Installation) -> list[str]:
    files = {"files": {"main.tf": 'resource "terraform_data" "one" {}\n'}}
    made = []
    with here.client() as api:
        for number in range(TASKS):
            row = api.post("/workspaces", json={"name": f"workspace-{number}"}).raise_for_status().json()
            api.post(f"/workspaces/{row['workspace_id']}/configurations", json=files).raise_for_status()
            made.append(row["workspace_id"])
    return made


if __name__ == "__main__":
    with installed() as installation:
        asyncio.run(measure(installation, int(sys.argv[1]) if len(sys.argv) > 1 else AGENTS))
