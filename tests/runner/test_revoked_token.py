"""A revoked pool token ends the agent, not what it runs: that is reported to its end with the attempt's own token."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.protocol import AskPermit, Cancel, Finished, Heartbeat, Hello, Log, Progress, Refused
from tests import processes
from tests.runner.fake_platform import POOL_TOKEN
from tests.runner.http_side import TOKEN
from tests.runner.scene import Scene
from tests.waiting import ENOUGH_SECONDS

Process = subprocess.Popen[str]
Starter = Callable[..., Process]
SENTENCE = "The pool token was revoked."
NOT_WELCOME = 3
DOOR = "/agents/v1/attempt/words"


def _at_door(scene: Scene, word: type[Any]) -> list[Any]:
    return [said for said in scene.platform.words_at_door if isinstance(said, word)]


def _revoke(scene: Scene) -> None:
    """Revoke the token; the agent has heard of it then."""
    scene.platform.revoke()
    scene.eventually(lambda: not scene.platform.is_connected)


def _knocks(scene: Scene) -> int:
    """Return how often an attempt came to its door."""
    return scene.platform.store.asked.count(DOOR)


def _leaves(agent: Process) -> str:
    """Return the last line of an agent that ends because it is not welcome."""
    _, errors = agent.communicate(timeout=ENOUGH_SECONDS)
    assert agent.returncode == NOT_WELCOME
    return str(errors.splitlines()[-1])


def test_a_running_apply_is_finished_and_reported(scene: Scene, fake_agent: Process) -> None:
    scene.platform.offer(scene.applying(until=scene.gate(), tick="tick"))
    engine = scene.process_of("apply")
    _revoke(scene)
    scene.eventually(lambda: len(_at_door(scene, Log)) > 1)
    scene.open_gate()
    assert _leaves(fake_agent) == SENTENCE
    result = scene.platform.result(1, 2)
    assert result and result.outcome == "applied"
    assert not processes.alive(engine)
    assert scene.signals() == []


def test_no_byte_of_its_log_is_lost(scene: Scene, fake_agent: Process) -> None:
    scene.platform.offer(scene.applying(until=scene.gate(), tick="tick"))
    scene.eventually(lambda: "tick" in scene.platform.log(1, 2))
    _revoke(scene)
    scene.eventually(lambda: len(_at_door(scene, Log)) > 1)
    scene.open_gate()
    _leaves(fake_agent)
    result, log = scene.platform.result(1, 2), scene.platform.log(1, 2)
    assert result and result.log_bytes == len(log.encode())
    assert min(word.offset for word in _at_door(scene, Log)) > 0


def test_it_beats_by_saying_its_progress(scene: Scene, fake_agent: Process) -> None:
    scene.platform.offer(scene.applying(until=scene.gate()))
    scene.wait_for_start("apply")
    _revoke(scene)
    scene.eventually(lambda: len(_at_door(scene, Progress)) > 3)
    scene.open_gate()
    _leaves(fake_agent)
    assert not _at_door(scene, Heartbeat)


def test_it_takes_nothing_new_and_connects_no_more(scene: Scene, start_agent: Starter) -> None:
    agent = start_agent(PATH=scene.path, IAC_AGENT_CAPACITY="2")
    scene.platform.offer(scene.applying(seconds=2, until=scene.gate()))
    scene.wait_for_start("apply")
    hellos = len(scene.platform.said(Hello))
    _revoke(scene)
    scene.eventually(lambda: len(_at_door(scene, Progress)) > 3)
    scene.open_gate()
    _leaves(agent)
    assert len(scene.platform.said(Hello)) == hellos
    assert scene.platform.refusals == 0


def test_each_of_several_attempts_is_reported(scene: Scene, start_agent: Starter) -> None:
    agent = start_agent(PATH=scene.path, IAC_AGENT_CAPACITY="2")
    for task in (1, 2):
        scene.platform.offer(scene.job(task, behaviour={"plan": {"until": scene.gate(f"gate-{task}")}}))
    scene.eventually(lambda: scene.starts().count("plan") == 2)
    _revoke(scene)
    scene.open_gate("gate-1")
    scene.eventually(lambda: _at_door(scene, Finished))
    scene.open_gate("gate-2")
    _leaves(agent)
    assert {word.task for word in _at_door(scene, Finished)} == {1, 2}
    results = [scene.platform.result(task) for task in (1, 2)]
    assert [result and result.outcome for result in results] == ["planned"] * 2


def test_an_apply_that_has_not_begun_does_not_begin(scene: Scene, fake_agent: Process) -> None:
    scene.platform.permits = False
    scene.platform.offer(scene.applying())
    scene.eventually(lambda: scene.platform.said(AskPermit))
    scene.platform.revoke()
    assert _leaves(fake_agent) == SENTENCE
    assert _at_door(scene, AskPermit)
    assert "apply" not in scene.starts()
    assert scene.platform.result(1, 2) is None


def test_a_cancel_is_heard(scene: Scene, fake_agent: Process) -> None:
    scene.platform.offer(scene.applying(seconds=60))
    scene.wait_for_start("apply")
    scene.platform.at_door = [Cancel(task=1, epoch=2, grace_seconds=ENOUGH_SECONDS)]
    scene.platform.revoke()
    _leaves(fake_agent)
    result = scene.platform.result(1, 2)
    assert result and result.outcome == "cancelled"
    assert scene.signals() == ["apply"]


def test_an_outage_of_the_door_costs_nothing(scene: Scene, fake_agent: Process) -> None:
    scene.platform.offer(scene.applying(until=scene.gate()))
    engine = scene.process_of("apply")
    _revoke(scene)
    scene.platform.store.is_broken = True
    knocks = _knocks(scene)
    scene.eventually(lambda: _knocks(scene) > knocks)
    scene.open_gate()
    scene.eventually(lambda: not processes.alive(engine))
    scene.platform.store.is_broken = False
    _leaves(fake_agent)
    result = scene.platform.result(1, 2)
    assert result and result.outcome == "applied"


def test_an_attempt_that_the_server_closed_is_dropped(scene: Scene, fake_agent: Process) -> None:
    scene.platform.offer(scene.applying(seconds=60))
    engine = scene.process_of("apply")
    scene.platform.store.closed.add(f"{TOKEN}1-2")
    scene.platform.revoke()
    assert _leaves(fake_agent) == SENTENCE
    assert not processes.alive(engine)
    assert scene.platform.result(1, 2) is None


def test_without_a_door_the_engine_still_comes_to_its_end(scene: Scene, fake_agent: Process) -> None:
    scene.platform.store.hear = None
    scene.platform.offer(scene.applying(seconds=1, until=scene.gate()))
    scene.wait_for_start("apply")
    scene.platform.revoke()
    scene.eventually(lambda: _knocks(scene))
    scene.open_gate()
    assert _leaves(fake_agent) == SENTENCE
    assert scene.signals() == []


def test_words_that_are_none_are_no_answer(scene: Scene, fake_agent: Process) -> None:
    scene.platform.store.hear = lambda text: '{"type": "permit"}'
    scene.platform.offer(scene.applying(seconds=1, until=scene.gate()))
    scene.wait_for_start("apply")
    scene.platform.revoke()
    scene.eventually(lambda: _knocks(scene))
    scene.open_gate()
    assert _leaves(fake_agent) == SENTENCE
    assert scene.signals() == []


@pytest.mark.parametrize("is_running", [False, True])
def test_a_token_file_with_a_new_token_is_tried_first(
    scene: Scene, start_agent: Starter, tmp_path: Path, is_running: bool
) -> None:
    file = tmp_path / "token"
    file.write_text("pool-token-of-yesterday")
    scene.platform.pool_tokens = {"pool-token-of-yesterday", POOL_TOKEN}
    start_agent(PATH=scene.path, IAC_AGENT_TOKEN="", IAC_AGENT_TOKEN_FILE=str(file))
    if is_running:
        scene.platform.offer(scene.applying(until=scene.gate()))
        scene.wait_for_start("apply")
    file.write_text(POOL_TOKEN)
    scene.platform.pool_tokens = {POOL_TOKEN}
    welcomes = scene.platform.welcomes
    scene.platform.tell(Refused(code="token_revoked", message=SENTENCE, retry=False))
    scene.eventually(lambda: scene.platform.welcomes > welcomes)
    scene.open_gate()
    assert not is_running or scene.result(1, 2).outcome == "applied"
    assert scene.run(scene.job(3)).outcome == "planned"
