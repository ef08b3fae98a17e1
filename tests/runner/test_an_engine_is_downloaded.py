"""A version that the agent lacks comes from the mirror: once, in one piece, and the task's log says so."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.protocol import Cancel, Engine, Heartbeat, Hello
from tests.runner.mirror import PLATFORM, Mirror, gives, script
from tests.runner.scene import Scene

Starter = Callable[..., Any]


@pytest.fixture
def start(start_agent: Starter, scene: Scene, mirror: Mirror) -> Starter:
    """Return a function that starts an agent with terraform, whose tofu comes from the mirror."""
    return lambda **environment: start_agent(
        **{"PATH": scene.path, "IAC_AGENT_TOFU_MIRROR": mirror.address, **environment}
    )


def _files(engines: Path) -> list[str]:
    return sorted(str(path.relative_to(engines)) for path in engines.rglob("*") if path.is_file())


def test_the_task_goes_on_with_it_and_its_log_says_where_it_came_from(
    scene: Scene, start: Starter, mirror: Mirror, workdir: Path
) -> None:
    mirror.publish()
    start()
    result = scene.run(scene.job(engine="tofu", version="1.11.4"))
    assert result.plan and (result.plan.engine, result.plan.version) == ("tofu", "1.11.4")
    log = scene.platform.log(1)
    assert f"Downloads tofu 1.11.4 from {mirror.address}/v1.11.4/tofu_1.11.4_{PLATFORM}.zip." in log
    assert "tofu 1.11.4 is here; its SHA-256 is that of the mirror's list." in log
    assert _files(workdir / "engines") == ["tofu/1.11.4/.lock", "tofu/1.11.4/tofu"]


def test_the_next_task_and_the_next_life_of_the_agent_find_it_there(
    scene: Scene, start: Starter, mirror: Mirror
) -> None:
    mirror.publish()
    agent = start()
    for task in (1, 2):
        assert scene.run(scene.job(task, engine="tofu", version="1.11.4")).outcome == "planned"
    agent.kill()
    agent.wait()
    start()
    assert scene.run(scene.job(3, engine="tofu", version="1.11.4")).outcome == "planned"
    assert mirror.asked == [mirror.sums(), mirror.archive()]
    assert {engine.name for engine in scene.platform.said(Hello)[-1].engines} == {"terraform", "tofu"}


def test_a_workspace_without_a_version_gets_the_one_that_the_agent_was_told(
    scene: Scene, start: Starter, mirror: Mirror
) -> None:
    mirror.publish(version="1.9.1")
    start(IAC_AGENT_TOFU_VERSION="1.9.1")
    result = scene.run(scene.job(engine="tofu"))
    assert result.plan and result.plan.version == "1.9.1"


def test_what_the_agent_has_is_taken_first_where_no_version_is_named(
    scene: Scene, start: Starter, mirror: Mirror, workdir: Path
) -> None:
    start()
    result = scene.run(scene.job(engine="terraform"))
    assert result.plan and (result.plan.version, mirror.asked) == ("1.11.4", [])


def test_the_server_hears_what_the_agent_downloads_and_what_it_has_since(
    scene: Scene, start: Starter, mirror: Mirror
) -> None:
    mirror.publish()
    start()
    assert scene.platform.said(Hello)[-1].fetches == ("tofu",)
    assert scene.run(scene.job(engine="tofu", version="1.11.4")).outcome == "planned"
    scene.eventually(lambda: _told(scene))
    assert [[engine.name for engine in engines] for engines in _told(scene)] == [["terraform", "tofu"]]


def test_the_server_hears_of_an_engine_that_somebody_puts_there_while_no_task_comes(
    scene: Scene, start: Starter, workdir: Path
) -> None:
    start()
    place = workdir / "engines" / "tofu" / "1.9.0" / "tofu"
    place.parent.mkdir(parents=True)
    place.with_name("new").write_bytes(script("1.9.0"))
    place.with_name("new").chmod(0o755)
    place.with_name("new").rename(place)
    scene.eventually(lambda: _told(scene))
    assert Engine(name="tofu", version="1.9.0") in _told(scene)[0]


def _told(scene: Scene) -> list[tuple[Engine, ...]]:
    return [word.engines for word in scene.platform.said(Heartbeat) if word.engines is not None]


def test_two_tasks_at_the_same_time_download_it_once(scene: Scene, start: Starter, mirror: Mirror) -> None:
    mirror.acts[mirror.archive()] = mirror.holds_back(mirror.publish())
    start(IAC_AGENT_CAPACITY="2")
    for task in (1, 2):
        scene.platform.offer(scene.job(task, engine="tofu", version="1.11.4"))
    waits = "Waits for tofu 1.11.4, which is being downloaded already."
    scene.eventually(lambda: waits in scene.platform.log(1) + scene.platform.log(2))
    mirror.go_on.set()
    assert {scene.result(task).outcome for task in (1, 2)} == {"planned"}
    assert mirror.asked == [mirror.sums(), mirror.archive()]


def test_two_agents_that_share_the_folder_download_it_once(
    scene: Scene, start: Starter, mirror: Mirror, workdir: Path, tmp_path: Path
) -> None:
    """Each has the whole socket of the fake platform to itself, so one speaks after the other."""
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    (workdir / "engines").mkdir(parents=True)
    (other / "engines").symlink_to(workdir / "engines")
    mirror.acts[mirror.archive()] = mirror.holds_back(mirror.publish())
    start()
    scene.platform.offer(scene.job(1, engine="tofu", version="1.11.4"))
    scene.eventually(lambda: mirror.archive() in mirror.asked)
    start(IAC_AGENT_NAME="agent-two", IAC_AGENT_WORKDIR=str(other))
    scene.platform.offer(scene.job(2, engine="tofu", version="1.11.4"))
    scene.eventually(lambda: "Waits for tofu 1.11.4" in scene.platform.log(2))
    mirror.go_on.set()
    assert scene.result(2).outcome == "planned"
    assert mirror.asked == [mirror.sums(), mirror.archive()]


def test_a_cancel_ends_a_download(scene: Scene, start: Starter, mirror: Mirror, workdir: Path) -> None:
    mirror.acts[mirror.archive()] = mirror.holds_back(mirror.publish())
    start()
    scene.platform.offer(scene.job(engine="tofu", version="1.11.4"))
    scene.eventually(lambda: mirror.archive() in mirror.asked)
    scene.platform.tell(Cancel(task=1, epoch=1, grace_seconds=20))
    assert scene.result().outcome == "cancelled"
    assert _files(workdir / "engines") == ["tofu/1.11.4/.lock"]


def test_a_time_out_of_the_task_ends_a_download(scene: Scene, start: Starter, mirror: Mirror) -> None:
    mirror.acts[mirror.archive()] = mirror.holds_back(mirror.publish())
    start()
    result = scene.run(scene.job(engine="tofu", version="1.11.4", timeout_seconds=1))
    assert (result.outcome, result.error_code) == ("failed", "plan_timeout")


def test_an_agent_killed_in_mid_download_leaves_nothing_that_is_taken_for_an_engine(
    scene: Scene, start: Starter, mirror: Mirror, workdir: Path
) -> None:
    archive = mirror.publish()
    mirror.acts[mirror.archive()] = [mirror.holds_back(archive), gives(archive)]
    agent = start()
    scene.platform.offer(scene.job(engine="tofu", version="1.11.4"))
    # The file is begun before the archive is asked for; an agent that dies between the two leaves its successor the wait.
    scene.eventually(lambda: mirror.archive() in mirror.asked)
    assert any(name.endswith(".part") for name in _files(workdir / "engines"))
    agent.send_signal(signal.SIGKILL)
    agent.wait()
    start()
    assert [engine.name for engine in scene.platform.said(Hello)[-1].engines] == ["terraform"]
    assert scene.run(scene.job(2, engine="tofu", version="1.11.4")).outcome == "planned"
    assert _files(workdir / "engines") == ["tofu/1.11.4/.lock", "tofu/1.11.4/tofu"]


def test_a_plan_is_applied_with_the_version_that_made_it(
    scene: Scene, start: Starter, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.publish()
    start()
    members: dict[str, Any] = {"engine": "tofu", "version": "1.11.4"}
    assert scene.run(scene.job(**members)).outcome == "planned"
    start(IAC_AGENT_NAME="agent-two", IAC_AGENT_WORKDIR=str(tmp_path / "other"))
    plan = scene.platform.stored_plan(1)
    assert scene.run(scene.job(**members, epoch=2, phase="apply", plan=plan)).outcome == "applied"
    assert mirror.asked == [mirror.sums(), mirror.archive()] * 2


def test_a_failure_is_the_tasks_own_and_the_agent_goes_on(scene: Scene, start: Starter, mirror: Mirror) -> None:
    start()
    failed = scene.run(scene.job(engine="tofu", version="9.9.9"))
    assert (failed.outcome, failed.error_code) == ("failed", "engine_missing")
    assert f"{mirror.address}/v9.9.9/tofu_9.9.9_SHA256SUMS answered 404 Not Found." in failed.error_message
    assert failed.error_message in scene.platform.log(1)
    assert scene.run(scene.job(2)).outcome == "planned"
