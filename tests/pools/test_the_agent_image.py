"""deploy/agent/Dockerfile puts into the image what an agent needs, and agrees with the pods that we make."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pools import pod_specs
from pools.models.cluster import RUNNER_COMMAND

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = (REPOSITORY / "deploy" / "agent" / "Dockerfile").read_text()
IGNORED = (REPOSITORY / "deploy" / "agent" / "Dockerfile.dockerignore").read_text()
EVERY_MODULE = """
import pkgutil, importlib, agents.runner
for found in pkgutil.walk_packages(agents.runner.__path__, "agents.runner."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
"""


def copied() -> list[tuple[list[str], str]]:
    """Return what is copied from the repository: sources and target of each COPY."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE)
    return [(words[:-1], words[-1]) for words in map(shlex.split, lines)]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return a folder with what the image's WORKDIR holds."""
    for sources, target in copied():
        for source in sources:
            place = tmp_path / target / Path(source).name if target.endswith("/") else tmp_path / target
            place.parent.mkdir(parents=True, exist_ok=True)
            found = REPOSITORY / source
            shutil.copytree(found, place) if found.is_dir() else shutil.copy(found, place)
    return tmp_path


def run(image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO", "IAC"))}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=image, env=clean, capture_output=True, text=True, timeout=60, check=False)


def test_the_program_runs_from_what_is_copied_alone(image: Path) -> None:
    started = run(image, "-m", "agents.runner", "--help")
    assert started.returncode == 0 and "--server" in started.stdout, started.stderr
    imported = run(image, "-c", EVERY_MODULE)
    assert imported.returncode == 0, imported.stderr


def test_what_is_copied_is_not_ignored() -> None:
    taken = {line[1:] for line in IGNORED.splitlines() if line.startswith("!")}
    assert {source for sources, _ in copied() for source in sources} == taken
    assert "*" in IGNORED.splitlines()


def test_the_packages_are_pinned_where_the_platforms_are() -> None:
    pattern = re.search(r"grep --extended-regexp '([^']+)' requirements.txt", DOCKERFILE)
    assert pattern
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    assert [re.split("[~=]", line)[0] for line in lines if re.search(pattern[1], line)] == ["websockets", "httpx"]


def test_user_folders_and_command_are_those_of_our_pods() -> None:
    assert f"USER {pod_specs.USER}:{pod_specs.USER}\n" in DOCKERFILE
    assert f"HOME={pod_specs.WORK} " in DOCKERFILE and f"IAC_AGENT_WORKDIR={pod_specs.WORK}/work" in DOCKERFILE
    assert DOCKERFILE.rstrip().endswith(f"CMD {json.dumps(RUNNER_COMMAND)}")
