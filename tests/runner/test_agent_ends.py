"""Agents that are killed, sent away or told to leave, with an engine at work."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.protocol import Drain, Hello, Leaving, Refused
from tests import processes
from tests.runner.fake_platform import FakePlatform
from tests.runner.scene import Scene
from tests.waiting import ENOUGH_SECONDS

Starter = Callable[..., subprocess.Popen[str]]
BUSY = {"seconds": 60, "tick": "still at work"}


def _starting(scene: Scene, **behaviour: Any) -> int:
    scene.platform.offer(scene.applying(**behaviour))
    return scene.process_of("apply")


def test_an_engine_outlives_its_killed_agent_and_goes_on_writing(
    scene: Scene, start_agent: Starter, workdir: Path
) -> None:
    agent = start_agent(PATH=scene.path)
    engine = _starting(scene, **BUSY)
    agent.kill()
    agent.wait()
    output = workdir / "tasks/1/run/apply.out"
    before = output.stat().st_size
    scene.eventually(lambda: output.stat().st_size > before + 100)
    assert processes.alive(engine)
    assert scene.signals() == []


def test_a_restarted_agent_is_the_same_instance(scene: Scene, start_agent: Starter) -> None:
    agent = start_agent()
    agent.kill()
    agent.wait()
    start_agent()
    first, second = scene.platform.said(Hello)
    assert first.instance == second.instance


def test_an_apply_does_not_start_beside_one_that_the_agent_knows_nothing_of(
    scene: Scene, start_agent: Starter, workdir: Path
) -> None:
    agent = start_agent(PATH=scene.path)
    engine = _starting(scene, **BUSY)
    agent.kill()
    agent.wait()
    (workdir / "tasks/1/run/attempt.json").unlink()
    start_agent(PATH=scene.path)
    assert scene.platform.said(Hello)[-1].work == ()
    result = scene.run(scene.job(epoch=3))
    assert result.error_code == "folder_busy"
    assert processes.alive(engine)


def test_a_plan_that_outlived_its_agent_gives_way_to_the_next(scene: Scene, start_agent: Starter) -> None:
    agent = start_agent(PATH=scene.path)
    scene.platform.offer(scene.job(behaviour={"plan": BUSY}))
    engine = scene.process_of("plan")
    agent.kill()
    agent.wait()
    start_agent(PATH=scene.path)
    assert scene.run(scene.job(epoch=2)).outcome == "planned"
    assert not processes.alive(engine)


def test_the_first_sigterm_finishes_and_leaves(scene: Scene, start_agent: Starter) -> None:
    agent = start_agent(PATH=scene.path)
    scene.platform.offer(scene.job(behaviour={"plan": {"until": scene.gate()}}))
    scene.wait_for_start("plan")
    agent.send_signal(signal.SIGTERM)
    scene.eventually(lambda: scene.platform.said(Leaving))
    scene.platform.offer(scene.job(2))
    scene.open_gate()
    assert scene.result().outcome == "planned"
    assert agent.wait(timeout=ENOUGH_SECONDS) == 0
    assert scene.platform.result(2) is None


def test_a_drained_agent_leaves(scene: Scene, start_agent: Starter) -> None:
    agent = start_agent(PATH=scene.path)
    scene.platform.tell(Drain())
    assert agent.wait(timeout=ENOUGH_SECONDS) == 0


def test_an_idle_agent_leaves_even_where_no_server_answers(platform: FakePlatform, start_agent: Starter) -> None:
    agent = start_agent()
    platform.cut()
    agent.send_signal(signal.SIGINT)
    assert agent.wait(timeout=ENOUGH_SECONDS) == 0


def test_the_second_sigterm_leaves_at_once_and_the_engine_goes_on(scene: Scene, start_agent: Starter) -> None:
    agent = start_agent(PATH=scene.path)
    engine = _starting(scene, **BUSY)
    agent.send_signal(signal.SIGTERM)
    scene.eventually(lambda: scene.platform.said(Leaving))
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(timeout=ENOUGH_SECONDS) == 1
    assert processes.alive(engine)
    assert scene.signals() == []


def test_a_signal_to_the_agents_group_does_not_reach_the_engine(scene: Scene, start_agent: Starter) -> None:
    agent = start_agent(PATH=scene.path)
    engine = _starting(scene, **BUSY)
    assert os.getsid(engine) not in (os.getsid(agent.pid), os.getsid(0))


def test_a_refusal_for_good_ends_the_agent_with_the_servers_sentence(
    platform: FakePlatform, start_agent: Starter
) -> None:
    agent = start_agent(wait=False, IAC_AGENT_TOKEN="wrong")
    _, errors = agent.communicate(timeout=ENOUGH_SECONDS)
    assert agent.returncode == 3
    assert errors.splitlines()[-1] == "The pool token is wrong."


def test_a_refusal_for_now_is_followed_by_another_try(
    platform: FakePlatform, start_agent: Starter, eventually: Callable[..., None]
) -> None:
    platform.refusal = Refused(code="busy", message="Come back.", retry=True)
    start_agent(wait=False)
    eventually(lambda: platform.refusals)
    platform.refusal = None
    eventually(lambda: platform.welcomes)
