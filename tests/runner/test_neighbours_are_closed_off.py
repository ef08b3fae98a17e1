"""A task sees no task of the agents beside its own and changes nothing of theirs; what else lies there does no harm."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.runner.isolation import Isolation
from tests.waiting import ENOUGH_SECONDS

REPOSITORY = Path(__file__).parents[2]
ANOTHER_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
"""Starts a program as a user that is not root, with the files that are ours."""

Run = Callable[[str], str]


@pytest.fixture(params=[(), ANOTHER_USER], ids=["as it is", "not root"])
def run(request: pytest.FixtureRequest, workdir: Path) -> Run:
    """Return a function that runs a command of the shell behind walls, and returns what it says."""
    task = agent(workdir, task=1)
    isolation = Isolation(workdir=workdir, keeps_apart=True)

    def run_(command: str) -> str:
        walled = [*request.param, *isolation.command(task, ["/bin/sh", "-c", command])]
        done = subprocess.run(walled, cwd=task, capture_output=True, text=True, timeout=ENOUGH_SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_


def agent(workdir: Path, *, task: int) -> Path:
    """Make the work folder of an agent with a task; return the task's folder."""
    folder = workdir / "tasks" / str(task)
    (folder / "run" / "tmp").mkdir(parents=True)
    for name in ("engines", "providers", "tmp"):
        (workdir / name).mkdir()
    for name in ("instance", "lock", "engine.tfrc", "engines/terraform"):
        (workdir / name).write_text("as it was\n")
    return folder


def test_no_task_of_an_agent_beside_it_is_seen(run: Run, tmp_path: Path) -> None:
    agent(tmp_path / "other", task=7)
    assert run(f"ls -A {tmp_path}/other/tasks") == ""


@pytest.mark.parametrize("name", ["engines/terraform", "engines/new", "providers/new", "engine.tfrc", "instance"])
def test_nothing_of_an_agent_beside_it_can_be_changed(run: Run, tmp_path: Path, name: str) -> None:
    agent(tmp_path / "other", task=7)
    file = tmp_path / "other" / name
    assert run(f"(echo mine > {file}) 2>/dev/null || rm {file} 2>/dev/null || echo refused") == "refused\n"
    assert not file.exists() or file.read_text() == "as it was\n"


def test_engines_that_agents_share_can_be_read(run: Run, tmp_path: Path) -> None:
    agent(tmp_path / "other", task=7)
    assert run(f"cat {tmp_path}/other/engines/terraform") == "as it was\n"


def test_a_link_to_the_own_work_folder_does_no_harm(run: Run, workdir: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(workdir)
    assert run(f"touch new && ls {workdir}/tasks && ls {workdir}/tasks/1") == "1\nnew\nrun\n"


def test_nothing_beside_it_hides_a_folder_elsewhere(run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "file").mkdir(parents=True)
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "instance").touch()
    (trap / "tasks").symlink_to(tmp_path / "elsewhere")
    assert run(f"ls {tmp_path}/elsewhere; touch {tmp_path}/elsewhere/mine && echo writes") == "file\nwrites\n"


def test_a_link_to_an_agent_elsewhere_hides_nothing(run: Run, tmp_path: Path) -> None:
    agent(tmp_path / "far" / "other", task=7)
    (tmp_path / "near").symlink_to(tmp_path / "far" / "other")
    assert run(f"ls {tmp_path}/near/tasks") == "7\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_is_another_users_is_left_alone(run: Run, tmp_path: Path) -> None:
    agent(tmp_path / "other", task=7)
    os.chown(tmp_path / "other", 65534, 65534)
    assert run(f"ls {tmp_path}/other/tasks") == "7\n"


def test_nothing_of_it_is_left_to_be_seen(run: Run, workdir: Path, tmp_path: Path) -> None:
    agent(tmp_path / "other", task=7)
    assert run(f"ls -A {workdir}/tasks | grep -v ssh") == "1\n"


VANISHING = """
import os, shutil, sys
from agents.runner import linux, neighbours, walls
close = neighbours._close
def vanish(folder, workshop):
    shutil.rmtree(sys.argv[3])
    close(folder, workshop)
neighbours._close = vanish
walls.enter()
if os.fork() == 0:
    walls.build(sys.argv[1], sys.argv[2])
    print(os.listdir(os.path.dirname(sys.argv[2])), flush=True)
    os._exit(0)
os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_one_that_vanishes_just_now_does_no_harm(workdir: Path, tmp_path: Path) -> None:
    task, _ = agent(workdir, task=1), agent(tmp_path / "other", task=7)
    command = [sys.executable, "-c", VANISHING, str(workdir), str(task), str(tmp_path / "other")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=ENOUGH_SECONDS, check=False)
    assert (done.returncode, "'1'" in done.stdout) == (0, True), done.stderr
