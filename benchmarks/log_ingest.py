"""How fast logs are stored while 20 agents write, and how old a line is when the page that follows its log has it.

`python -m benchmarks.log_ingest [WRITERS] [ROUNDS]`. Ingest: each agent has a log of some megabytes, which goes through
the agent's own outbox to the web process until it is confirmed; beside it the same pieces are inserted into a bare
table, over as many connections, a commit each. They take turns. The page: one more agent, a real one, runs a real
engine whose provisioner prints the time twenty times a second, while the others write as many lines each.
"""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Sequence
from statistics import median

import httpx
import psycopg

from agents.protocol import LOG_BATCH_BYTES
from benchmarks import figures
from benchmarks.installation import Installation, agent, installed, process
from benchmarks.reader import PASSWORD, Reader
from benchmarks.writers import Writer, Writers, trickle

WRITERS = 20
ROUNDS = 5
LOG_BYTES = 2 * 1024 * 1024
"""Of each writer in each round."""
LINES_PER_SECOND = 20
TALK_SECONDS = 60
GOALS = {99: 1.0}
LINE = 'module.network["eu-{0}"].aws_subnet.private[{1}]: Creation complete after {2}s [id=subnet-{3:017x}]\n'
MEGA = 1e6

_TALKER = """
import sys, time
for _ in range(int(sys.argv[1])):
    print(f"stamp {time.time():.3f}", flush=True)
    time.sleep(float(sys.argv[2]))
"""
_CONFIGURATION = """
resource "terraform_data" "talker" {
  provisioner "local-exec" { command = "exec %s talker.py %d %f" }
}
"""


def text(writer: int) -> str:
    """Return a log of the wanted size."""
    lines, size, number = [], 0, 0
    while size < LOG_BYTES:
        lines.append(LINE.format(writer, number, number % 97, (writer * 1_000_003 + number) * 2_654_435_761 % 16**17))
        size, number = size + len(lines[-1]), number + 1
    return "".join(lines)


async def ours(writers: Writers, logs: Sequence[str]) -> float:
    """Return the seconds until all logs are confirmed."""
    await writers.begin()
    for writer, log in zip(writers.all, logs, strict=True):
        writer.spool(log)
    began = time.perf_counter()
    await asyncio.gather(*(writer.send() for writer in writers.all))
    seconds = time.perf_counter() - began
    await writers.finish()
    return seconds


async def bare(address: str, logs: Sequence[str]) -> float:
    """Return the seconds until the same pieces are in a table that has nothing but them."""
    connections = [await psycopg.AsyncConnection.connect(address, autocommit=True) for _ in logs]
    await connections[0].execute("CREATE TABLE IF NOT EXISTS bare (writer int, start bigint, data bytea)")
    await connections[0].execute("TRUNCATE bare")
    began = time.perf_counter()
    await asyncio.gather(*(_insert(each, writer, logs[writer].encode()) for writer, each in enumerate(connections)))
    seconds = time.perf_counter() - began
    await asyncio.gather(*(each.close() for each in connections))
    return seconds


async def _insert(connection: psycopg.AsyncConnection, writer: int, log: bytes) -> None:
    for start in range(0, len(log), LOG_BATCH_BYTES):
        piece = log[start : start + LOG_BATCH_BYTES]
        await connection.execute("INSERT INTO bare VALUES (%s, %s, %s)", [writer, start, piece])


async def measure(here: Installation, number: int, rounds: int) -> None:
    """Print the figures of both."""
    headers = {"Authorization": f"Bearer {here.token}"}
    async with httpx.AsyncClient(base_url=f"{here.url}/api/v1", headers=headers, timeout=60) as api:
        writers = Writers(here, number, api)
        async with writers.connected():
            await _ingest(here, writers, rounds)
            await writers.begin()
            await _follow(here, api, writers.all)
            await writers.finish()


async def _ingest(here: Installation, writers: Writers, rounds: int) -> None:
    logs = [text(number) for number in range(len(writers.all))]
    turns = [(await ours(writers, logs), await bare(here.database_url, logs)) for _ in range(rounds + 1)][1:]
    mine, theirs = zip(*turns, strict=True)
    size = sum(map(len, logs)) / MEGA
    ratio = median(a / b for a, b in turns)
    print(f"log ingest, {len(logs)} agents, {size:.0f} MB a round, {rounds} rounds, {figures.machine()}")
    rates = f"ours {size / median(mine):.1f} MB/s, inserts into a bare table {size / median(theirs):.1f} MB/s"
    print(f"  {rates}; seconds {median(mine):.2f} and {median(theirs):.2f}, ratio {ratio:.2f}")


async def _follow(here: Installation, api: httpx.AsyncClient, writers: Sequence[Writer]) -> None:
    line = LINE.format(0, 1, 2, 3)
    writing = [asyncio.create_task(trickle(writer, line, LINES_PER_SECOND)) for writer in writers]
    async with httpx.AsyncClient(base_url=here.url, timeout=30) as browser:
        reader = Reader(browser)
        await reader.log_in()
        await reader.follow(await _talking(api))
    for each in writing:
        each.cancel()
    what = f"stdout → page, {len(writers)} agents write {LINES_PER_SECOND} lines a second each"
    figures.times(what, reader.ages, goals=GOALS)
    print(f"  the page asked {reader.requests} times")


async def _talking(api: httpx.AsyncClient) -> str:
    """Return the page of a task that prints stamps."""
    made = (await api.post("/workspaces", json={"name": "talker", "auto_apply": True})).raise_for_status().json()
    lines = LINES_PER_SECOND * TALK_SECONDS
    main = _CONFIGURATION % (sys.executable, lines, 1 / LINES_PER_SECOND)
    path = f"/workspaces/{made['workspace_id']}"
    files = {"files": {"main.tf": main, "talker.py": _TALKER}}
    (await api.post(f"{path}/configurations", json=files)).raise_for_status()
    task = (await api.post(f"{path}/tasks", json={"task_type": "plan_and_apply"})).raise_for_status().json()
    return f"{path}/tasks/{task['id']}"


if __name__ == "__main__":
    if shutil.which("terraform") is None:
        raise SystemExit("terraform is not in the PATH; install it and try again.")
    wanted = [int(argument) for argument in sys.argv[1:]]
    writers, rounds = wanted + [WRITERS, ROUNDS][len(wanted) :]
    os.environ["IACPLATFORM_ADMIN_PASSWORD"] = PASSWORD
    with installed() as here, agent(here, "talker", here.home / "talker"):
        worker = [sys.executable, "manage.py", "qcluster"]
        with process(worker, here.environment, here.home / "worker.log"):
            asyncio.run(measure(here, writers, rounds))
