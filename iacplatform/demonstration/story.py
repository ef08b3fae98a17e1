"""What the demonstration does, in order."""

from pathlib import Path
from typing import Any

from iacplatform.demonstration import example, words
from iacplatform.demonstration.client import Client
from iacplatform.demonstration.follow import Say, follow, until_connected

AGENT_SECONDS = 60.0
PLAN_SECONDS = 180.0
DOWNLOAD_SECONDS = 600.0
APPLY_SECONDS = 180.0


async def tell(url: str, token: str, folder: Path, say: Say) -> None:
    """Take the example workspace through a plan, a confirmation and an apply; `say` gets each line for people.

    `folder`: the example's configuration. Raises DemonstrationError.
    """
    async with Client(url, token) as client:
        agent = await until_connected(client, AGENT_SECONDS)
        say(f"Agent {agent['name']} is connected.")
        engine = example.engine(agent)
        path = await _workspace(client, engine, folder, say)
        planned = await _plan(client, path, say, PLAN_SECONDS + _download(agent, engine, say))
        if planned["status"] == "apply_pending":
            await _apply(client, f"{path}/tasks/{planned['id']}", planned, say)
        await _show_outputs(client, path, say)
        say(f"The task's page: {url}{path}/tasks/{planned['id']}")


async def _workspace(client: Client, engine: str, folder: Path, say: Say) -> str:
    """Return the API path of the workspace, ready for a task."""
    workspace = await example.workspace(client, engine)
    path = f"/workspaces/{workspace['workspace_id']}"
    for number in await example.clear_way(client, path):
        say(f"Task {number} was left by an earlier demonstration: it is ended.")
    await example.fill(client, path, folder)
    say(f"Workspace {workspace['name']} has the configuration of {folder.name}/ and its variables, one sensitive.")
    return path


def _download(agent: dict[str, Any], engine: str, say: Say) -> float:
    """Say whether the agent has to download the engine first; return how many seconds longer the plan may take."""
    if any(each["name"] == engine for each in agent["engines"]):
        return 0.0
    say("Neither terraform nor tofu is on PATH: the agent downloads OpenTofu, for which the plan waits.")
    return DOWNLOAD_SECONDS


async def _plan(client: Client, path: str, say: Say, seconds: float) -> dict[str, Any]:
    """Return the task when its plan is there, `apply_pending` or `success`; raises TooSlow after `seconds`."""
    created = await client.post(
        f"{path}/tasks", {"task_type": "plan_and_apply", "description": "Roll out a release (manage.py demo)."}
    )
    say(f"Task {created['id']} (plan and apply):")
    task = await follow(client, f"{path}/tasks/{created['id']}", {"apply_pending", "success"}, seconds, say)
    say("The plan:")
    for line in words.plan(task["changes"], await client.get(f"{path}/tasks/{task['id']}/plan")):
        say(f"  {line}")
    return task


async def _apply(client: Client, path: str, planned: dict[str, Any], say: Say) -> None:
    say(f"Confirming exactly this plan (digest {planned['plan_digest'][:12]}…):")
    confirmation = {"apply_description": "Looks right.", "plan_digest": planned["plan_digest"]}
    confirmed = await client.post(f"{path}/confirm-apply", confirmation)
    say(f"  dispatch: {confirmed['dispatch']['outcome']}")
    await follow(client, path, {"applied"}, APPLY_SECONDS, say)


async def _show_outputs(client: Client, path: str, say: Say) -> None:
    say("The outputs:")
    for line in words.outputs(await client.get(f"{path}/state")):
        say(f"  {line}")
