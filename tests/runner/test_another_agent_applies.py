"""A stored plan is applied by an agent that did not make it, with all that belongs to it."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.protocol import Hello
from tests.runner.fake_platform import FakePlatform
from tests.runner.scene import Scene

Starter = Callable[..., Any]


def test_with_real_terraform(
    platform: FakePlatform,
    start_agent: Starter,
    job: Callable[..., Any],
    eventually: Callable[..., None],
    tmp_path: Path,
) -> None:
    planner = start_agent()
    platform.offer(job())
    eventually(lambda: platform.result(1))
    planner.kill()
    planner.wait()
    start_agent(IAC_AGENT_NAME="agent-two", IAC_AGENT_WORKDIR=str(tmp_path / "other"))
    platform.offer(job(epoch=2, phase="apply", plan=platform.stored_plan(1)))
    eventually(lambda: platform.result(1, 2))
    result = platform.result(1, 2)
    assert result and result.outcome == "applied", platform.log(1, 2)
    assert [hello.name for hello in platform.said(Hello)] == ["agent-one", "agent-two"]


def test_with_the_same_workdir_the_planners_paths_are_right(
    platform: FakePlatform,
    start_agent: Starter,
    job: Callable[..., Any],
    eventually: Callable[..., None],
    workdir: Path,
) -> None:
    text = 'resource "terraform_data" "one" {\n  triggers_replace = path.cwd\n  provisioner "local-exec" {\n'
    files = {"main.tf": text + '    command = "test -f ${path.cwd}/main.tf"\n  }\n}\n'}
    planner = start_agent()
    platform.offer(job(files=files))
    eventually(lambda: platform.result(1))
    planner.kill()
    planner.wait()
    workdir.rename(workdir.with_name("gone"))
    start_agent(IAC_AGENT_NAME="agent-two")
    platform.offer(job(files=files, epoch=2, phase="apply", plan=platform.stored_plan(1)))
    eventually(lambda: platform.result(1, 2))
    result = platform.result(1, 2)
    assert result and result.outcome == "applied", platform.log(1, 2)
    assert len({hello.instance for hello in platform.said(Hello)}) == 2


def test_files_that_the_plan_made_are_there_again(scene: Scene, start_agent: Starter, tmp_path: Path) -> None:
    planner = start_agent(PATH=scene.path)
    behaviour = {"plan": {"touch": "built.zip"}, "apply": {"seconds": 60}}
    scene.run(scene.job(behaviour=behaviour))
    planner.kill()
    start_agent(PATH=scene.path, IAC_AGENT_WORKDIR=str(tmp_path / "other"))
    scene.platform.offer(scene.job(behaviour=behaviour, epoch=2, phase="apply", plan=scene.platform.stored_plan(1)))
    scene.wait_for_start("apply")
    assert (tmp_path / "other/tasks/1/config/built.zip").read_text() == "made by the plan"
    with tarfile.open(fileobj=io.BytesIO(scene.platform.parts(1)["extras"])) as archive:
        assert archive.getnames() == ["built.zip"]


def test_a_damaged_plan_is_not_applied(scene: Scene, start_agent: Starter, tmp_path: Path) -> None:
    planner = start_agent(PATH=scene.path)
    job = scene.applying()
    planner.kill()
    scene.platform.parts(1)["file"] += b"x"
    start_agent(PATH=scene.path, IAC_AGENT_WORKDIR=str(tmp_path / "other"))
    result = scene.run(job)
    assert (result.outcome, result.error_code) == ("failed", "plan_damaged")
    assert scene.starts() == ["init", "plan", "show"]


def test_the_planner_itself_needs_no_download(scene: Scene, start_agent: Starter) -> None:
    start_agent(PATH=scene.path)
    job = scene.applying()
    scene.platform.parts(1).clear()
    assert scene.run(job).outcome == "applied"


def test_a_plan_of_another_platform_is_left_alone(scene: Scene, start_agent: Starter) -> None:
    start_agent(PATH=scene.path)
    job = scene.applying()
    job["plan"]["os"] = "plan9"
    result = scene.run(job)
    assert result.error_code == "engine_missing"
    assert "plan9" in result.error_message


def test_plan_and_apply_run_in_the_same_folder(scene: Scene, start_agent: Starter, workdir: Path) -> None:
    start_agent(PATH=scene.path)
    scene.run(scene.applying())
    folders = {line["environment"].get("PWD", "") for line in scene.ledger() if "start" in line}
    files = [argument for line in scene.ledger() for argument in line.get("arguments", []) if "plan.tfplan" in argument]
    assert len(folders) == 1
    assert all(str(workdir / "tasks/1/run/plan.tfplan") in file for file in files)
    scene.eventually(lambda: not (workdir / "tasks/1").exists())
