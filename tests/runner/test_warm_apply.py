"""An apply in the untouched folder of its plan needs no second download and no second init; anything else is built anew."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runner.fake_platform import FakePlatform
from tests.runner.http_side import TOKEN
from tests.runner.scene import Scene

Starter = Callable[..., Any]
WARM = ["init", "plan", "show", "apply"]
COLD = ["init", "plan", "show", "init", "apply"]
STATE = "/api/v1/workspaces/ws-0123456789/state"


def _folder(workdir: Path) -> Path:
    return workdir / "tasks/1"


def _is_left(folder: Path) -> bool:
    """Return whether the agent has cleared the folder of its plan, and lets it wait."""
    return {path.name for path in (folder / "run").iterdir() if path.is_file()} == {"plan.tfplan", "seal.json"}


def _add_file(folder: Path) -> None:
    (folder / "config/more.tf").write_text('output "more" { value = 1 }')


def _remove_file(folder: Path) -> None:
    (folder / "config/main.tf").unlink()


def _change_file(folder: Path) -> None:
    (folder / "config/main.tf").write_text("# something else")


def _change_mode(folder: Path) -> None:
    (folder / "config/main.tf").chmod(0o700)


def _replace_by_link(folder: Path) -> None:
    main = folder / "config/main.tf"
    main.rename(folder / "elsewhere.tf")
    main.symlink_to(folder / "elsewhere.tf")


def _damage_plan(folder: Path) -> None:
    with (folder / "run/plan.tfplan").open("ab") as plan:
        plan.write(b"x")


def _remove_plan(folder: Path) -> None:
    (folder / "run/plan.tfplan").unlink()


def _remove_initialization(folder: Path) -> None:
    shutil.rmtree(folder / "config/.terraform")


def _lead_state_elsewhere(folder: Path) -> None:
    backend = folder / "config/.terraform/terraform.tfstate"
    backend.write_text('{"backend": {"type": "http", "config": {"address": "http://127.0.0.1:1/"}}}')


def _break_seal(folder: Path) -> None:
    (folder / "run/seal.json").write_text("{")


def _remove_seal(folder: Path) -> None:
    (folder / "run/seal.json").unlink()


def _remove_all(folder: Path) -> None:
    shutil.rmtree(folder)


DAMAGE = (
    _add_file,
    _remove_file,
    _change_file,
    _change_mode,
    _replace_by_link,
    _damage_plan,
    _remove_plan,
    _remove_initialization,
    _lead_state_elsewhere,
    _break_seal,
    _remove_seal,
    _remove_all,
)


@pytest.mark.usefixtures("fake_agent")
def test_the_planner_starts_the_engine_four_times(scene: Scene) -> None:
    assert scene.run(scene.applying()).outcome == "applied"
    assert scene.starts() == WARM
    assert scene.platform.store.downloads == 1
    assert "no second download, no second init" in scene.platform.log(1, 2)


@pytest.mark.usefixtures("fake_agent")
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda act: act.__name__.strip("_"))
def test_a_folder_that_was_touched_is_built_anew(scene: Scene, workdir: Path, damage: Callable[[Path], None]) -> None:
    job = scene.applying()
    scene.eventually(lambda: _is_left(_folder(workdir)))
    damage(_folder(workdir))
    assert scene.run(job).outcome == "applied"
    assert scene.starts() == COLD
    assert scene.platform.store.downloads == 2
    assert "no second" not in scene.platform.log(1, 2)


@pytest.mark.usefixtures("fake_agent")
def test_a_job_with_other_files_gets_a_folder_of_its_own(scene: Scene, workdir: Path) -> None:
    job = scene.applying()
    job["files"]["more.tf"] = ""
    assert scene.run(job).outcome == "applied"
    assert scene.starts() == COLD


@pytest.mark.usefixtures("fake_agent")
def test_a_job_that_comes_without_files_is_never_begun(scene: Scene) -> None:
    job = scene.job()
    job["files"] = None
    failed = scene.run(job)
    assert (failed.outcome, failed.error_code) == ("failed", "job_invalid")
    assert scene.starts() == []


@pytest.mark.usefixtures("fake_agent")
def test_another_plan_gets_a_folder_of_its_own(scene: Scene) -> None:
    job = scene.applying()
    scene.platform.parts(1)["file"] = b"another plan"
    job["plan"] = scene.platform.stored_plan(1) | {"digest": job["plan"]["parts"]["json"]}
    assert scene.run(job).outcome == "applied"
    assert scene.starts() == COLD


@pytest.mark.usefixtures("fake_agent")
def test_files_that_the_plan_changed_stay_as_it_left_them(scene: Scene, workdir: Path) -> None:
    behaviour = {"plan": {"touch": "main.tf"}, "apply": {"seconds": 60}}
    scene.run(scene.job(behaviour=behaviour))
    scene.platform.offer(scene.job(behaviour=behaviour, epoch=2, phase="apply", plan=scene.platform.stored_plan(1)))
    scene.wait_for_start("apply")
    assert (_folder(workdir) / "config/main.tf").read_text() == "made by the plan"
    assert scene.starts() == WARM


@pytest.mark.usefixtures("fake_agent")
def test_a_folder_is_warm_for_one_apply_only(scene: Scene) -> None:
    scene.platform.permits = False
    job = scene.applying()
    scene.platform.offer(job)
    scene.eventually(lambda: scene.platform.log(1, 2))
    scene.platform.keeps = lambda work: False
    scene.platform.drop()
    scene.eventually(lambda: scene.platform.welcomes > 1)
    scene.eventually(lambda: scene.platform.work() == ())
    scene.platform.permits = True
    assert scene.run({**job, "epoch": 3}).outcome == "applied"
    assert scene.starts() == COLD


def test_another_agent_inits(scene: Scene, start_agent: Starter, tmp_path: Path) -> None:
    planner = start_agent(PATH=scene.path)
    job = scene.applying()
    planner.kill()
    start_agent(PATH=scene.path, IAC_AGENT_WORKDIR=str(tmp_path / "other"))
    assert scene.run(job).outcome == "applied"
    assert scene.starts() == COLD


def test_a_restarted_planner_needs_no_init(scene: Scene, start_agent: Starter, workdir: Path) -> None:
    planner = start_agent(PATH=scene.path)
    job = scene.applying()
    scene.eventually(lambda: _is_left(_folder(workdir)))
    planner.kill()
    planner.wait()
    start_agent(PATH=scene.path)
    assert scene.run(job).outcome == "applied"
    assert scene.starts() == WARM


def test_real_terraform_applies_with_the_new_token_alone(
    platform: FakePlatform, start_agent: Starter, job: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    start_agent()
    platform.offer(job())
    eventually(lambda: platform.result(1))
    platform.store.closed.add(f"{TOKEN}1-1")
    platform.store.states[STATE].tokens.clear()
    platform.offer(job(epoch=2, phase="apply", plan=platform.stored_plan(1)))
    eventually(lambda: platform.result(1, 2))
    result = platform.result(1, 2)
    assert result and result.outcome == "applied", platform.log(1, 2)
    assert "no second init" in platform.log(1, 2)
    assert platform.store.states[STATE].tokens == {f"{TOKEN}1-2"}
