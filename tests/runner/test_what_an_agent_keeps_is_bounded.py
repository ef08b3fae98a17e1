"""What an agent keeps between its tasks has a bound: what can be had again goes, the longest unused first."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.protocol import Start
from agents.runner import jobs, legacy
from agents.runner.errors import PhaseFailed
from agents.runner.providers import Providers
from agents.runner.stock import Stock
from agents.runner.workdir import Workdir
from tests.runner.scene import Scene

MIB = 1024 * 1024
SERVER = "https://iac.example.com"
PACKAGE = Path("registry.terraform.io/hashicorp/time/0.13.1/linux_amd64")


@pytest.fixture
def opened(workdir: Path) -> Workdir:
    """A work folder that its agent has open."""
    return Workdir(workdir)


@pytest.fixture
def stock(opened: Workdir) -> Stock:
    """Room for 3 MiB."""
    return Stock(opened, Providers(opened.providers), 3 * MIB, server=SERVER)


def left_by(opened: Workdir, task: int, *, age: float, name: str = "run/plan.tfplan", is_sealed: bool = True) -> Path:
    """Make the folder of a task, with a file of 2 MiB, last used so many seconds ago; return it."""
    folder = opened.folder(task)
    folder.renew()
    (folder.root / name).write_bytes(b"x" * 2 * MIB)
    if is_sealed:
        folder.seal.touch()
    used(age, folder.root, folder.run, *[folder.seal] * is_sealed)
    return folder.root


def begun_for(server: str, opened: Workdir, job: dict[str, Any]) -> Path:
    """Make the folder of a task of which a killed agent has left an attempt for this server; return it."""
    root = left_by(opened, job["task"], age=900, is_sealed=False)
    start = Start(task=job["task"], epoch=1, phase="apply", token="attempt-token")
    legacy.leave(opened.folder(start.task).left, start, jobs.parse(job), server=server)
    used(900, opened.folder(start.task).run)
    return root


def provider(opened: Workdir, *, age: float) -> Path:
    """Make a package of 2 MiB in the store, last used so many seconds ago; return it."""
    package = opened.providers / PACKAGE
    package.mkdir(parents=True)
    (package / "terraform-provider-time").write_bytes(b"x" * 2 * MIB)
    note = package.with_name(f"{package.name}.h1")
    note.write_text("h1:")
    used(age, note)
    return package


def used(age: float, *paths: Path) -> None:
    for path in paths:
        now = path.stat().st_mtime
        os.utime(path, (now - age, now - age))


def test_nothing_goes_while_there_is_room(opened: Workdir, stock: Stock) -> None:
    kept = left_by(opened, 1, age=3600)
    stock.demand()
    assert kept.exists()


def test_what_was_not_used_for_longest_goes_first(opened: Workdir, stock: Stock) -> None:
    older, package, newer = left_by(opened, 1, age=900), provider(opened, age=600), left_by(opened, 2, age=300)
    stock.demand()
    assert [older.exists(), package.exists(), newer.exists()] == [False, False, True]


def test_a_provider_of_a_running_task_stays_and_its_folder_does_not_count(opened: Workdir, stock: Stock) -> None:
    package, waiting = provider(opened, age=900), left_by(opened, 1, age=300)
    running = opened.folder(2)
    left_by(opened, 2, age=1200, is_sealed=False)
    link = running.providers / PACKAGE
    link.parent.mkdir(parents=True)
    link.symlink_to(package)
    opened.busy = {2}
    stock.demand()
    assert [package.exists(), waiting.exists(), running.plan.exists()] == [True, False, True]


def test_a_plan_that_waits_does_not_keep_its_providers(opened: Workdir, stock: Stock) -> None:
    package, waiting = provider(opened, age=900), left_by(opened, 1, age=300)
    link = opened.folder(1).providers / PACKAGE
    link.parent.mkdir(parents=True)
    link.symlink_to(package)
    used(300, opened.folder(1).run)
    stock.demand()
    assert [package.exists(), waiting.exists()] == [False, True]


def test_what_cannot_be_had_again_stays_and_is_named(opened: Workdir, stock: Stock) -> None:
    state = left_by(opened, 1, age=900, name="config/errored.tfstate", is_sealed=False)
    engine = opened.engines / "tofu"
    engine.write_bytes(b"x" * 2 * MIB)
    with pytest.raises(
        PhaseFailed, match=r"keeps 2 MiB more than it may.*IAC_AGENT_KEPT_MIB is 3.*Remove there"
    ) as why:
        stock.demand()
    assert why.value.code == "work_folder_full"
    assert state.exists() and engine.exists()


def test_what_a_crash_has_left_for_this_server_goes(
    opened: Workdir, stock: Stock, job: Callable[..., dict[str, Any]]
) -> None:
    crashed, newer = begun_for(SERVER, opened, job(1)), left_by(opened, 2, age=300)
    stock.demand()
    assert [crashed.exists(), newer.exists()] == [False, True]


def test_what_a_crash_has_left_for_another_server_stays(
    opened: Workdir, stock: Stock, job: Callable[..., dict[str, Any]]
) -> None:
    crashed, newer = begun_for("https://other.example.com", opened, job(1)), left_by(opened, 2, age=300)
    stock.demand()
    assert [crashed.exists(), newer.exists()] == [True, False]


def test_where_an_engine_cannot_be_seen_its_folder_stays(
    opened: Workdir, stock: Stock, job: Callable[..., dict[str, Any]]
) -> None:
    crashed, newer = begun_for(SERVER, opened, job(1)), left_by(opened, 2, age=300)
    opened.folder(1).engine_note.write_text(json.dumps({"pid": os.getpid(), "started": "", "phase": "apply"}))
    used(900, opened.folder(1).run)
    stock.demand()
    assert [crashed.exists(), newer.exists()] == [True, False]


def test_a_task_says_that_there_is_no_room(scene: Scene, start_agent: Callable[..., Any], workdir: Path) -> None:
    start_agent(PATH=scene.path, IAC_AGENT_KEPT_MIB="1")
    assert scene.run(scene.job()).outcome == "planned"
    (workdir / "mine").write_bytes(b"x" * 2 * MIB)
    result = scene.run(scene.job(2))
    assert (result.outcome, result.error_code) == ("failed", "work_folder_full")
    assert scene.starts().count("plan") == 1


def test_what_a_task_has_left_goes_at_its_end_where_it_is_too_much(
    scene: Scene, start_agent: Callable[..., Any], workdir: Path
) -> None:
    start_agent(PATH=scene.path, IAC_AGENT_KEPT_MIB="1")
    behaviour = {"plan": {"touch": "large", "holds": "x" * 2 * MIB}}
    assert scene.run(scene.job(behaviour=behaviour)).outcome == "planned"
    scene.eventually(lambda: not (workdir / "tasks/1").exists())
