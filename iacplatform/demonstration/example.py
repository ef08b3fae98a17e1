"""The example workspace: made when it is absent, and given the files and variables of `examples/hello`."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iacplatform.demonstration.client import Client
from iacplatform.demonstration.errors import EngineMissing

NAME = "hello"
ENGINES = ("terraform", "tofu")
DOWNLOADED = "tofu"
"""The one that is free for any use."""


def engine(agent: dict[str, Any]) -> str:
    """Return the engine that the agent has, else OpenTofu where the agent downloads that; raises EngineMissing."""
    has = {engine["name"] for engine in agent["engines"]}
    for name in ENGINES:
        if name in has:
            return name
    if DOWNLOADED in agent["fetches"]:
        return DOWNLOADED
    raise EngineMissing


def files(folder: Path) -> dict[str, str]:
    """Return the texts of a configuration by file name."""
    return {file.name: file.read_text() for file in sorted(folder.glob("*.tf"))}


async def workspace(client: Client, its_engine: str) -> dict[str, Any]:
    """Return the example workspace."""
    found = await client.get("/workspaces", name=NAME)
    if found["results"]:
        existing: dict[str, Any] = found["results"][0]
        return existing
    facts = {"name": NAME, "description": "The example of manage.py demo.", "execution_mode": "local"}
    made: dict[str, Any] = await client.post("/workspaces", {**facts, "engine": its_engine})
    return made


async def fill(client: Client, path: str, folder: Path) -> None:
    """Give the workspace at `path` the files of `folder`, and variables by which every run has something to do."""
    await client.post(f"{path}/configurations", {"files": files(folder)})
    await _set_variable(client, path, {"key": "release", "value": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"})
    password = {"key": "password", "value": secrets.token_urlsafe(12), "sensitive": True}
    await _set_variable(client, path, password, keep=True)


async def clear_way(client: Client, path: str) -> list[int]:
    """End tasks that an interrupted demonstration left unconfirmed; return their ids."""
    listed = await client.get(f"{path}/tasks")
    left = [(task["id"], _way_out(task)) for task in listed["results"] if _way_out(task)]
    for number, verb in left:
        await client.post(f"{path}/tasks/{number}/{verb}")
    return [number for number, _ in left]


def _way_out(task: dict[str, Any]) -> str:
    return next((verb for verb in ("discard", "cancel") if verb in task["actions"]), "")


async def _set_variable(client: Client, path: str, wanted: dict[str, Any], *, keep: bool = False) -> None:
    """Make the variable, or change its value when there is one that is not to be kept."""
    listed = await client.get(f"{path}/variables")
    there = next((variable for variable in listed["results"] if variable["key"] == wanted["key"]), None)
    if there is None:
        await client.post(f"{path}/variables", {"category": "terraform", **wanted})
    elif not keep:
        await client.patch(f"{path}/variables/{there['id']}", {"value": wanted["value"]})
