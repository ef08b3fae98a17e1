"""Agents as real processes, a platform of our own for them, and jobs to give them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import bare, processes
from tests.runner.fake_platform import POOL_TOKEN, FakePlatform
from tests.runner.scene import Scene

REPOSITORY = Path(__file__).parents[2]
Agent = subprocess.Popen[str]
Job = dict[str, Any]


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform()


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def start_agent(
    platform: FakePlatform, workdir: Path, tmp_path: Path, eventually: Callable[..., None]
) -> Iterator[Callable[..., Agent]]:
    """Return a function that starts an agent and waits until it is connected. Environment by keywords.

    `within`: the command that becomes the agent, where it is not started as it is.
    """
    agents: list[Agent] = []

    def start(*arguments: str, wait: bool = True, within: tuple[str, ...] = (), **environment: str) -> Agent:
        before = platform.welcomes
        agents.append(_agent(within, arguments, _environment(platform, workdir) | environment))
        if wait:
            eventually(lambda: platform.welcomes > before)
        return agents[-1]

    yield start
    for agent in agents:
        agent.kill()
        agent.communicate()
    processes.kill(tmp_path)  # engines that outlived their agent


@pytest.fixture
def scene(platform: FakePlatform, job: Callable[..., Job], eventually: Callable[..., None], tmp_path: Path) -> Scene:
    return Scene(platform, job, eventually, tmp_path)


@pytest.fixture
def fake_agent(scene: Scene, start_agent: Callable[..., Agent]) -> Agent:
    """A connected agent with the fake engine."""
    return start_agent(PATH=scene.path)


@pytest.fixture
def job() -> Callable[..., Job]:
    """Return a maker of jobs; keywords replace members."""
    return _job


def _job(task: int = 1, **members: Any) -> Job:
    return {
        "task": task,
        "epoch": 1,
        "phase": "plan",
        "attempt": 1,
        "task_type": "plan_and_apply",
        "workspace_id": "ws-0123456789",
        "workspace_name": "network",
        "engine": "terraform",
        "version": "",
        "working_directory": "",
        "files": {"main.tf": 'resource "terraform_data" "one" {\n  input = "a"\n}\n'},
        "variables": [],
        "timeout_seconds": 60,
        "state_url": "/api/v1/workspaces/ws-0123456789/state",
        "plan": None,
        **members,
    }


def _environment(platform: FakePlatform, workdir: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(workdir.parent),
        "PYTHONPATH": str(bare.FOLDER),
        "IAC_SERVER": platform.address,
        "IAC_AGENT_TOKEN": POOL_TOKEN,
        "IAC_AGENT_NAME": "agent-one",
        "IAC_AGENT_WORKDIR": str(workdir),
        "IAC_AGENT_TERRAFORM_MIRROR": "",
        "IAC_AGENT_TOFU_MIRROR": "",
        "TF_CLI_CONFIG_FILE": str(workdir / "missing.tfrc"),
    }


def _agent(within: tuple[str, ...], arguments: tuple[str, ...], environment: dict[str, str]) -> Agent:
    command = [*within, sys.executable, "-m", "agents.runner", *arguments]
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)
