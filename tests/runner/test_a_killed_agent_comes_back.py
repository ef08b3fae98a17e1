"""An agent that was killed and starts again on its work folder brings what its former life left there."""

import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.protocol import Finished, Hello, Stop, Work
from tests import processes
from tests.runner.http_side import TOKEN, State
from tests.runner.scene import Scene
from tests.runner.test_evidence_of_a_stopped_attempt import STATE
from tests.waiting import ENOUGH_SECONDS

Starter = Callable[..., subprocess.Popen[str]]
LIVES = {"IAC_AGENT_CAPACITY": "2"}
COMPLETE = json.dumps(
    {
        "@message": "Apply complete! Resources: 1 added.",
        "type": "change_summary",
        "changes": {"add": 1, "change": 0, "remove": 0, "operation": "apply"},
    }
)
REFUSED = json.dumps(
    {
        "@message": "Error: no such zone",
        "type": "diagnostic",
        "diagnostic": {"severity": "error", "summary": "no such zone", "detail": ""},
    }
)


@pytest.fixture
def agent(scene: Scene, start_agent: Starter) -> subprocess.Popen[str]:
    """The agent in its first life."""
    return start_agent(PATH=scene.path, **LIVES)


def applying(scene: Scene, last_words: str, **behaviour: Any) -> int:
    """Begin an apply that says `last_words` at its end, behind the gate; return its process."""
    scene.platform.offer(scene.applying(until=scene.gate(), tick="tick", last=last_words, **behaviour))
    engine = scene.process_of("apply")
    scene.eventually(lambda: "tick" in scene.platform.log(1, 2))
    return engine


def hear_more(scene: Scene) -> None:
    """Wait until more of what the engine says has come."""
    heard = len(scene.platform.log(1, 2))
    scene.eventually(lambda: len(scene.platform.log(1, 2)) > heard)


def kill(agent: subprocess.Popen[str]) -> None:
    agent.kill()
    agent.wait()


def come_back(scene: Scene, start_agent: Starter) -> tuple[Work, ...]:
    """Start it again in its folder, and return what it says that it has."""
    start_agent(PATH=scene.path, **LIVES)
    work: tuple[Work, ...] = scene.platform.said(Hello)[-1].work
    return work


def folder(workdir: Path) -> Path:
    return workdir / "tasks" / "1"


def test_an_apply_that_is_still_at_work_is_followed_to_its_end(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter, workdir: Path
) -> None:
    engine = applying(scene, COMPLETE)
    kill(agent)
    assert come_back(scene, start_agent) == (Work(task=1, epoch=2),)
    hear_more(scene)
    assert processes.alive(engine)
    scene.open_gate()
    result = scene.result(1, 2)
    log = scene.platform.log(1, 2)
    assert (result.outcome, result.log_bytes) == ("applied", len(log.encode()))
    assert log.count("Agent agent-one: apply") == 1 and log.endswith("Apply complete! Resources: 1 added.\n")
    assert scene.starts().count("apply") == 1 and scene.signals() == []
    scene.eventually(lambda: not folder(workdir).exists())


def test_its_log_has_no_gap_and_nothing_twice(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter, workdir: Path
) -> None:
    scene.platform.offer(scene.applying(until=scene.gate(), counts=True, last=COMPLETE))
    scene.eventually(lambda: "tick 20" in scene.platform.log(1, 2))
    kill(agent)
    output = folder(workdir) / "run" / "apply.out"
    brought = scene.platform.log(1, 2).count("tick")
    scene.eventually(lambda: output.read_text().count("tick") > brought + 30)
    come_back(scene, start_agent)
    hear_more(scene)
    scene.open_gate()
    scene.result(1, 2)
    ticks = [line for line in scene.platform.log(1, 2).splitlines() if "tick" in line]
    assert len(ticks) > brought + 30
    assert ticks == [f"tick {number}" for number in range(1, len(ticks) + 1)]


def test_killed_again_it_goes_on_where_its_second_life_was(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter
) -> None:
    scene.platform.offer(scene.applying(until=scene.gate(), counts=True, last=COMPLETE))
    scene.eventually(lambda: "tick 20" in scene.platform.log(1, 2))
    kill(agent)
    second = start_agent(PATH=scene.path, **LIVES)
    heard = scene.platform.log(1, 2).count("tick")
    scene.eventually(lambda: scene.platform.log(1, 2).count("tick") > heard + 20)
    kill(second)
    assert come_back(scene, start_agent) == (Work(task=1, epoch=2),)
    hear_more(scene)
    scene.open_gate()
    assert scene.result(1, 2).outcome == "applied"
    ticks = [line for line in scene.platform.log(1, 2).splitlines() if "tick" in line]
    assert ticks == [f"tick {number}" for number in range(1, len(ticks) + 1)]


def test_what_the_engine_refused_is_its_result(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter
) -> None:
    applying(scene, REFUSED, exit=1)
    kill(agent)
    come_back(scene, start_agent)
    scene.open_gate()
    result = scene.result(1, 2)
    assert (result.outcome, result.error_code) == ("failed", "engine_failed")
    assert "no such zone" in result.error_message


def test_of_an_engine_that_ended_without_a_word_nothing_is_claimed(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter, workdir: Path
) -> None:
    engine = applying(scene, "")
    kill(agent)
    subprocess.run(["kill", "-9", str(engine)], check=True)
    come_back(scene, start_agent)
    scene.eventually(lambda: "no word of it says how" in scene.platform.log(1, 2))
    scene.eventually(lambda: scene.platform.work() == ())
    assert not [said for said in scene.platform.said(Finished) if said.epoch == 2]
    scene.eventually(lambda: not folder(workdir).exists())


def test_a_state_that_the_engine_could_not_store_is_brought(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter, workdir: Path
) -> None:
    scene.platform.store.states.setdefault(STATE, State()).is_over = True
    applying(scene, REFUSED, exit=1, touch="errored.tfstate")
    kill(agent)
    come_back(scene, start_agent)
    scene.open_gate()
    scene.result(1, 2)
    assert scene.platform.store.states[STATE].kept == [b"made by the plan"]
    scene.eventually(lambda: not folder(workdir).exists())


def test_a_result_that_nobody_received_is_said_again(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter, workdir: Path
) -> None:
    scene.platform.acknowledges = False
    scene.platform.offer(scene.job())
    left = folder(workdir) / "run" / "attempt.json"
    scene.eventually(lambda: left.exists() and "result" in left.read_text())
    kill(agent)
    scene.platform.acknowledges = True
    assert come_back(scene, start_agent) == (Work(task=1, epoch=1),)
    result = scene.result()
    assert result.outcome == "planned" and result.log_bytes == len(scene.platform.log(1).encode())
    assert scene.starts().count("plan") == 1


def test_a_plan_that_was_at_work_is_not_claimed_and_its_log_is_brought(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter, workdir: Path
) -> None:
    scene.platform.acknowledges = False
    scene.platform.offer(scene.job(behaviour={"plan": {"seconds": 60, "tick": "tick"}}))
    engine = scene.process_of("plan")
    scene.eventually(lambda: "tick" in (folder(workdir) / "run" / "log").read_text())
    kill(agent)
    scene.platform.acknowledges = True
    assert come_back(scene, start_agent) == ()
    scene.eventually(lambda: "tick" in scene.platform.log(1))
    scene.eventually(lambda: not processes.alive(engine))
    scene.eventually(lambda: not folder(workdir).exists())


def test_what_was_not_masked_before_the_attempt_was_over_stays_on_the_agent(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter, workdir: Path
) -> None:
    engine = applying(scene, "the-last-words")
    kill(agent)
    scene.platform.store.closed.add(f"{TOKEN}1-2")
    scene.platform.keeps = lambda work: False
    come_back(scene, start_agent)
    scene.eventually(lambda: "came back too late for more" in scene.platform.log(1, 2))
    assert not processes.alive(engine) and scene.signals() == ["apply"]
    assert "the-last-words" not in scene.platform.log(1, 2)
    scene.eventually(lambda: not (folder(workdir) / "run" / "attempt.json").exists())
    assert (folder(workdir) / "run" / "apply.out").is_file()


def test_sensitive_values_are_masked_in_what_the_engine_said_meanwhile(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter
) -> None:
    secret = {"key": "KEY", "value": "hunter2-hunter2", "category": "env", "hcl": False, "sensitive": True}
    job = scene.applying(until=scene.gate(), tick="tick", last=f"hunter2-hunter2\n{COMPLETE}")
    scene.platform.offer({**job, "variables": [secret]})
    scene.eventually(lambda: "tick" in scene.platform.log(1, 2))
    kill(agent)
    come_back(scene, start_agent)
    scene.open_gate()
    assert scene.result(1, 2).outcome == "applied"
    assert "hunter2" not in scene.platform.log(1, 2) and "(sensitive value)" in scene.platform.log(1, 2)


def test_a_cancel_that_was_begun_interrupts_no_second_time(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter
) -> None:
    applying(scene, COMPLETE, on_interrupt="ignore")
    scene.platform.tell(Stop(task=1, epoch=2, reason="Marked as failed."))
    scene.eventually(scene.signals)
    kill(agent)
    come_back(scene, start_agent)
    scene.platform.tell(Stop(task=1, epoch=2, reason="Marked as failed."))
    scene.eventually(lambda: scene.platform.work() == ())
    scene.open_gate()
    assert scene.result(1, 2).outcome == "applied"
    assert scene.signals() == ["apply"]


def test_what_belongs_to_another_server_is_not_brought_to_this_one(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter, workdir: Path
) -> None:
    applying(scene, COMPLETE)
    kill(agent)
    left = folder(workdir) / "run" / "attempt.json"
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    left.write_text(left.read_text().replace(scene.platform.address, "http://127.0.0.1:9"))
    assert come_back(scene, start_agent) == ()
    assert left.exists()


def test_an_agent_that_is_let_in_no_more_brings_it_by_the_attempts_own_token(
    scene: Scene, agent: subprocess.Popen[str], start_agent: Starter
) -> None:
    applying(scene, COMPLETE)
    kill(agent)
    scene.platform.pool_tokens.clear()
    back = start_agent(wait=False, PATH=scene.path, **LIVES)
    scene.eventually(lambda: scene.platform.words_at_door)
    scene.open_gate()
    assert scene.result(1, 2).outcome == "applied"
    assert back.wait(timeout=ENOUGH_SECONDS) == 3
