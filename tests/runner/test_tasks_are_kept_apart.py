"""No task reads what another one has on the agent, with it or before it, and none leaves anything that runs."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.runner.fake_platform import FakePlatform
from tests.runner.scene import Scene
from tests.waiting import ENOUGH_SECONDS

SECRET = "s3cret-of-the-other-task"
SHARED = {"IAC_AGENT_SHARED_TASKS": "true"}
WITHOUT_NAMESPACES = (
    *("unshare", "--user", "--map-root-user"),
    *("sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh"),
)
"""Starts a program where the kernel gives nobody a namespace any more."""

ANOTHER_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
"""Starts a program as a user that is not root, with the files that are ours."""

Starter = Callable[..., Any]


class Tasks:
    """Tasks whose apply runs a command of the shell with the real terraform."""

    def __init__(self, platform: FakePlatform, job: Callable[..., Any], eventually: Callable[..., None]) -> None:
        self.platform = platform
        self._job = job
        self._eventually = eventually

    def plan(self, task: int, command: str) -> dict[str, Any]:
        """Plan, and return the job of the apply."""
        resource = {"provisioner": {"local-exec": {"command": command, "interpreter": ["/bin/sh", "-c"]}}}
        configuration = {"resource": {"terraform_data": {"it": resource}}}
        secret = {"key": "TOKEN", "value": SECRET, "category": "env", "hcl": False, "sensitive": True}
        members = {
            "files": {"main.tf.json": json.dumps(configuration)},
            "variables": [secret] if task == 1 else [],
            "state_url": f"/api/v1/workspaces/ws-{task}/state",
        }
        self.platform.offer(self._job(task, **members))
        self._eventually(lambda: self.platform.result(task), seconds=60)
        return dict(self._job(task, epoch=2, phase="apply", plan=self.platform.stored_plan(task), **members))

    def begin(self, job: dict[str, Any], sign: Path) -> None:
        """Begin an apply, and wait for a file that it makes."""
        self.platform.offer(job)
        self._eventually(sign.exists, seconds=60)

    def outcome(self, task: int) -> str:
        """Wait for the end of an apply."""
        self._eventually(lambda: self.platform.result(task, 2), seconds=60)
        result = self.platform.result(task, 2)
        assert result
        return result.outcome


@pytest.fixture
def tasks(platform: FakePlatform, job: Callable[..., Any], eventually: Callable[..., None]) -> Tasks:
    return Tasks(platform, job, eventually)


def spying(workdir: Path, found: Path) -> str:
    """Return a command that looks for the first task everywhere, and writes down what it finds."""
    pattern = SECRET.replace("c", "[c]", 1)  # which does not find itself
    return f"""
      exec 2>/dev/null
      echo files: $(ls {workdir}/tasks/1 ../../1 /proc/[0-9]*/root{workdir}/tasks/1 /proc/[0-9]*/cwd/../../1) > {found}
      grep -rls {pattern} {workdir} >> {found}
      grep -als {pattern} /proc/[0-9]*/environ >> {found}
      grep -ls tasks/[1]/ /proc/[0-9]*/cmdline >> {found}
      umount -l {workdir}/tasks; ls {workdir}/tasks/1 >> {found}
      echo done >> {found}
    """


def side_by_side(tasks: Tasks, workdir: Path, folder: Path) -> str:
    """Run a task beside one that spies on it; return what the spy found."""
    sign, end, found = folder / "sign", folder / "end", folder / "found"
    waiting = tasks.plan(1, f"echo $TOKEN > $TMPDIR/mine; touch {sign}; until [ -e {end} ]; do sleep 0.1; done")
    spy = tasks.plan(2, spying(workdir, found))
    tasks.begin(waiting, sign)
    tasks.begin(spy, found)
    assert tasks.outcome(2) == "applied"
    end.touch()
    assert tasks.outcome(1) == "applied"
    return found.read_text()


@pytest.mark.parametrize("within", [(), ANOTHER_USER], ids=["as it is", "not root"])
def test_what_runs_beside_a_task_sees_nothing_of_it(
    tasks: Tasks, start_agent: Starter, workdir: Path, tmp_path: Path, within: tuple[str, ...]
) -> None:
    start_agent(within=within, IAC_AGENT_CAPACITY="2")
    assert side_by_side(tasks, workdir, tmp_path) == "files:\ndone\n"


def test_where_that_is_accepted_it_sees_all_of_it(
    tasks: Tasks, start_agent: Starter, workdir: Path, tmp_path: Path
) -> None:
    start_agent(IAC_AGENT_CAPACITY="2", TMPDIR=str(tmp_path), **SHARED)
    found = side_by_side(tasks, workdir, tmp_path)
    assert "config" in found and "/environ" in found and "/cmdline" in found


def test_the_plan_of_a_task_that_waits_is_not_seen_by_the_next_one(
    tasks: Tasks, start_agent: Starter, workdir: Path, tmp_path: Path
) -> None:
    start_agent()
    tasks.plan(1, "true")
    tasks.begin(tasks.plan(2, spying(workdir, tmp_path / "found")), tmp_path / "found")
    assert tasks.outcome(2) == "applied"
    assert (tmp_path / "found").read_text() == "files:\ndone\n"
    assert (workdir / "tasks/1/run/seal.json").exists()


def test_the_tasks_of_an_agent_beside_it_are_not_seen(tasks: Tasks, start_agent: Starter, tmp_path: Path) -> None:
    other, found = tmp_path / "other", tmp_path / "found"
    (other / "tasks" / "7").mkdir(parents=True)
    (other / "instance").touch()
    start_agent()
    tasks.begin(tasks.plan(2, f"echo sees: $(ls {other}/tasks) > {found}"), found)
    assert tasks.outcome(2) == "applied"
    assert found.read_text() == "sees:\n"


@pytest.mark.parametrize("environment", [{}, SHARED], ids=["walls", "no walls"])
def test_nothing_that_a_task_has_started_outlives_it(
    tasks: Tasks, start_agent: Starter, tmp_path: Path, environment: dict[str, str]
) -> None:
    start_agent(**environment)
    sign = tmp_path / "sign"
    left = f"(setsid sh -c 'sleep 600.5 & sleep 600.5' > /dev/null 2>&1 &); touch {sign}"
    tasks.begin(tasks.plan(2, left), sign)
    assert tasks.outcome(2) == "applied"
    assert not list(_sleeping())


@pytest.mark.parametrize("environment", [{}, SHARED], ids=["walls", "no walls"])
def test_an_engine_ends_with_what_stands_for_it(
    scene: Scene, start_agent: Starter, environment: dict[str, str]
) -> None:
    agent = start_agent(PATH=scene.path, **environment)
    scene.platform.offer(scene.applying(seconds=60))
    engine = scene.process_of("apply")
    (chamber,) = (pid for pid in processes.line_of(engine) if pid in processes.children(agent.pid))
    os.kill(chamber, signal.SIGKILL)
    assert scene.result(1, 2).outcome == "killed"
    scene.eventually(lambda: not processes.alive(engine))


def _sleeping() -> Iterator[int]:
    return (pid for pid in processes.everybody() if processes.arguments(pid).startswith("sleep 600.5"))


def test_several_at_once_are_refused_where_they_cannot_be_kept_apart(start_agent: Starter) -> None:
    agent = start_agent(wait=False, within=WITHOUT_NAMESPACES, IAC_AGENT_CAPACITY="2")
    _, errors = agent.communicate(timeout=ENOUGH_SECONDS)
    assert agent.returncode == 2
    assert "does not let them be kept apart (unshare: No space left on device): give the agent capacity 1" in errors


def test_several_at_once_run_there_when_that_is_accepted(start_agent: Starter, scene: Scene) -> None:
    start_agent(within=WITHOUT_NAMESPACES, PATH=scene.path, IAC_AGENT_CAPACITY="2", **SHARED)
    assert scene.run(scene.job()).outcome == "planned"


def test_one_after_the_other_finds_no_plan_of_the_one_before(start_agent: Starter, scene: Scene, workdir: Path) -> None:
    agent = start_agent(within=WITHOUT_NAMESPACES, PATH=scene.path)
    assert scene.run(scene.job()).outcome == "planned"
    scene.eventually(lambda: scene.platform.work() == ())
    assert (workdir / "tasks/1/run/seal.json").exists()
    assert scene.run(scene.job(2)).outcome == "planned"
    assert not (workdir / "tasks/1").exists()
    agent.terminate()
    assert (
        "lets tasks not be kept apart (unshare: No space left on device)"
        in agent.communicate(timeout=ENOUGH_SECONDS)[1]
    )
