"""A lost connection costs nothing: no byte of the log, no result, no running engine."""

from collections.abc import Callable
from typing import Any

import pytest

from agents.protocol import AskPermit, Hello, Log, Permit, Work
from tests import processes
from tests.runner.scene import Scene

pytestmark = pytest.mark.usefixtures("fake_agent")
LINES = 30


def _text() -> str:
    return "".join(f"line {number} {'x' * 2000}\n" for number in range(500))


def test_the_log_is_whole_to_the_byte_after_cuts_in_its_middle(scene: Scene) -> None:
    scene.platform.offer(scene.job(behaviour={"plan": {"print": _text(), "seconds": 3, "tick": "tick"}}))
    scene.wait_for_start("plan")
    for _ in range(3):
        logs = len(scene.platform.said(Log))
        scene.eventually(lambda logs=logs: len(scene.platform.said(Log)) > logs)
        scene.platform.drop()
    result = scene.result()
    log = scene.platform.log(1)
    assert _text() in log
    assert log.count("tick\n") > LINES
    assert result.log_bytes == len(log.encode())
    assert len(scene.platform.said(Hello)) > 1


def test_a_running_engine_does_not_notice_an_outage(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=2, tick="tick"))
    engine = scene.wait_for_start("apply")
    scene.platform.cut()
    scene.eventually(lambda: not processes.alive(engine))
    scene.platform.mend()
    assert scene.result(1, 2).outcome == "applied"
    assert scene.signals() == []
    assert scene.platform.said(Hello)[-1].work == (Work(task=1, epoch=2),)


def test_a_result_is_said_until_it_is_received(scene: Scene) -> None:
    scene.platform.acknowledges = False
    scene.platform.offer(scene.job())
    scene.eventually(lambda: len(scene.platform.said(Log)) > 1)
    scene.platform.acknowledges = True
    scene.platform.drop()
    assert scene.result().outcome == "planned"
    assert scene.starts() == ["init", "plan", "show"]


def test_words_without_an_answer_are_said_again_on_the_same_connection(scene: Scene) -> None:
    scene.platform.acknowledges = scene.platform.permits = False
    scene.platform.offer(scene.job())
    scene.eventually(lambda: len([log for log in scene.platform.said(Log) if log.offset == 0]) > 1)
    scene.platform.acknowledges = True
    assert scene.result().outcome == "planned"
    assert scene.platform.welcomes == 1


def test_the_permit_is_asked_for_again_on_a_new_connection(scene: Scene) -> None:
    scene.platform.permits = False
    scene.platform.offer(scene.applying())
    scene.eventually(lambda: scene.platform.said(AskPermit))
    scene.platform.drop()
    scene.platform.permits = True
    assert scene.result(1, 2).outcome == "applied"


def test_two_permits_are_one_apply(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=1))
    scene.wait_for_start("apply")
    scene.platform.tell(Permit(task=1, epoch=2))
    assert scene.result(1, 2).outcome == "applied"
    assert scene.starts().count("apply") == 1


def test_what_the_server_does_not_keep_is_ended(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=20))
    engine = scene.wait_for_start("apply")
    scene.platform.keeps = lambda work: False
    scene.platform.drop()
    scene.eventually(lambda: not processes.alive(engine))
    scene.eventually(lambda: scene.platform.work() == ())
    assert scene.result(1, 2).error_code == "stopped"


def test_a_full_agent_takes_no_offer(scene: Scene, eventually: Callable[..., Any]) -> None:
    scene.platform.offer(scene.job(1, behaviour={"plan": {"seconds": 1}}))
    scene.wait_for_start("plan")
    scene.platform.offer(scene.job(2))
    assert scene.result().outcome == "planned"
    assert scene.starts().count("plan") == 1
    assert scene.run(scene.job(3)).outcome == "planned"
