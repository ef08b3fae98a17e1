"""Signals, timeouts and refusals: each has its own outcome and a sentence."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from agents.protocol import Accept, Heartbeat, Stop, Work
from tests import processes
from tests.runner.scene import Scene


@pytest.mark.usefixtures("fake_agent")
def test_a_killed_engine_is_told_apart_from_a_failed_one(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=60))
    os.kill(scene.process_of("apply"), signal.SIGKILL)
    result = scene.result(1, 2)
    assert (result.outcome, result.exit_code, result.error_code) == ("killed", -9, "engine_killed")
    assert "signal 9 (SIGKILL) during apply" in result.error_message


@pytest.mark.usefixtures("fake_agent")
@pytest.mark.parametrize("phase", ["plan", "apply"])
def test_a_phase_that_takes_too_long_is_interrupted_once(scene: Scene, phase: str) -> None:
    job = scene.job(behaviour={"plan": {"seconds": 60}}) if phase == "plan" else scene.applying(seconds=60)
    result = scene.run({**job, "timeout_seconds": 8})  # counts from the job on; the phase has to begin in that time
    assert (result.outcome, result.error_code) == ("failed", f"{phase}_timeout")
    assert scene.signals() == [phase]


@pytest.mark.usefixtures("fake_agent")
def test_a_missing_engine_fails_at_once_and_says_what_to_do(scene: Scene) -> None:
    scene.platform.offer(scene.job(version="9.9.9"))
    scene.eventually(lambda: scene.platform.result(1))
    result = scene.result()
    assert (result.outcome, result.error_code) == ("failed", "engine_missing")
    assert "agent-one has no terraform 9.9.9; it has terraform 1.11.4" in result.error_message
    assert result.error_message in scene.platform.log(1)


def test_an_engine_that_was_put_into_the_folder_later_is_found(
    scene: Scene, start_agent: Callable[..., Any], workdir: Any
) -> None:
    start_agent(PATH=scene.path)
    place = workdir / "engines" / "tofu" / "1.11.4" / "tofu"
    place.parent.mkdir(parents=True)
    place.write_bytes((workdir.parent / "bin" / "terraform").read_bytes())
    place.chmod(0o755)
    result = scene.run(scene.job(engine="tofu", version="1.11.4"))
    assert result.plan and result.plan.engine == "tofu"


@pytest.mark.usefixtures("fake_agent")
def test_a_stopped_attempt_ends_and_frees_its_slot(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=60))
    pid = scene.process_of("apply")
    scene.platform.tell(Stop(task=1, epoch=2, reason="somebody else has it"))
    scene.eventually(lambda: not processes.alive(pid))
    scene.eventually(lambda: scene.platform.work() == ())
    assert scene.result(1, 2).error_code == "stopped"
    assert scene.run(scene.job(2)).outcome == "planned"
    assert scene.signals() == ["apply"]


def test_a_newer_attempt_of_a_task_waits_for_the_end_of_the_older(
    scene: Scene, start_agent: Callable[..., Any]
) -> None:
    start_agent(PATH=scene.path, IAC_AGENT_CAPACITY="2")
    scene.platform.offer(scene.job(behaviour={"plan": {"seconds": 60}}))
    older = scene.process_of("plan")
    assert scene.run(scene.job(epoch=2)).outcome == "planned"
    assert not processes.alive(older)
    assert scene.signals() == ["plan"]
    assert scene.result(1, 1).error_code == "stopped"


def _took_and_left(scene: Scene) -> bool:
    """Return whether the agent has nothing, by a heartbeat after its last Accept."""
    said = [word for word in scene.platform.words if isinstance(word, Accept | Heartbeat)]
    accepts = [place for place, word in enumerate(said) if isinstance(word, Accept)]
    return bool(accepts) and any(isinstance(word, Heartbeat) and not word.work for word in said[accepts[-1] :])


@pytest.mark.usefixtures("fake_agent")
def test_an_attempt_that_the_server_closed_is_dropped(scene: Scene) -> None:
    scene.platform.store.closed.add("attempt-token-1-1")
    scene.platform.offer(scene.job())
    scene.eventually(lambda: _took_and_left(scene))
    assert scene.run(scene.job(2)).outcome == "planned"
    assert scene.platform.result(1) is None


@pytest.mark.usefixtures("fake_agent")
def test_an_accepted_offer_that_is_gone_frees_its_slot(scene: Scene) -> None:
    scene.platform.withdrawn.add(Work(task=1, epoch=1))
    scene.platform.offer(scene.job())
    scene.eventually(lambda: _took_and_left(scene))
    assert scene.run(scene.job(2)).outcome == "planned"
    assert scene.platform.result(1) is None


@pytest.mark.usefixtures("fake_agent")
def test_the_server_being_away_for_a_moment_fails_nothing(scene: Scene) -> None:
    scene.platform.store.is_broken = True
    scene.platform.offer(scene.job())
    scene.eventually(lambda: scene.platform.store.asked)
    scene.platform.store.is_broken = False
    assert scene.result().outcome == "planned"


@pytest.mark.usefixtures("fake_agent")
@pytest.mark.parametrize("text", ["no json", "{}", '{"type": "new_word"}', '{"type": "stop", "task": "x"}', "[" * 5000])
def test_what_is_no_word_does_not_end_the_agent(scene: Scene, text: str) -> None:
    scene.platform.tell_text(text)
    assert scene.run(scene.job()).outcome == "planned"
    assert scene.platform.welcomes == 1
