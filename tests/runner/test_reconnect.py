"""A lost connection costs nothing: no byte of the log, no result, no running engine."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.protocol import AskPermit, Hello, Log, Permit, Work
from tests import processes
from tests.runner.scene import Scene

pytestmark = pytest.mark.usefixtures("fake_agent")
LINES = 30
CUTS = 3
EAGER = """
import sys
from agents.runner import connection
connection.STEADY_SECONDS = 0
from agents.runner.__main__ import main
del sys.argv[1:]
sys.exit(main())
"""


@pytest.fixture
def fake_agent(scene: Scene, start_agent: Callable[..., Any]) -> Any:
    """An agent that comes back within a second, however often its connection was cut."""
    return start_agent(PATH=scene.path, within=(sys.executable, "-c", EAGER))


def _text() -> str:
    return "".join(f"line {number} {'x' * 2000}\n" for number in range(500))


def test_the_log_is_whole_to_the_byte_after_cuts_in_its_middle(scene: Scene) -> None:
    scene.platform.offer(scene.job(behaviour={"plan": {"print": _text(), "until": scene.gate(), "tick": "tick"}}))
    scene.wait_for_start("plan")
    for _ in range(CUTS):
        logs, welcomes = len(scene.platform.said(Log)), scene.platform.welcomes
        scene.eventually(lambda logs=logs: len(scene.platform.said(Log)) > logs)
        scene.platform.drop()
        scene.eventually(lambda welcomes=welcomes: scene.platform.welcomes > welcomes)
    scene.eventually(lambda: scene.platform.log(1).count("tick\n") > LINES)
    scene.open_gate()
    result = scene.result()
    log = scene.platform.log(1)
    assert _text() in log
    assert result.log_bytes == len(log.encode())
    assert scene.platform.welcomes > CUTS


def test_a_running_engine_does_not_notice_an_outage(scene: Scene, workdir: Path) -> None:
    scene.platform.offer(scene.applying(until=scene.gate(), tick="tick"))
    engine = scene.process_of("apply")
    scene.platform.cut()
    scene.eventually(lambda: not scene.platform.is_connected)
    output = workdir / "tasks/1/run/apply.out"
    before = output.stat().st_size
    scene.eventually(lambda: output.stat().st_size > before + 300)
    scene.open_gate()
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
    scene.platform.offer(scene.applying(until=scene.gate()))
    scene.wait_for_start("apply")
    scene.platform.tell(Permit(task=1, epoch=2))
    scene.open_gate()
    assert scene.result(1, 2).outcome == "applied"
    assert scene.starts().count("apply") == 1


def test_what_the_server_does_not_keep_is_ended(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=60))
    engine = scene.process_of("apply")
    scene.platform.keeps = lambda work: False
    scene.platform.drop()
    scene.eventually(lambda: not processes.alive(engine))
    scene.eventually(lambda: scene.platform.work() == ())
    assert scene.result(1, 2).error_code == "stopped"


def test_a_full_agent_takes_no_offer(scene: Scene, eventually: Callable[..., Any]) -> None:
    scene.platform.offer(scene.job(1, behaviour={"plan": {"until": scene.gate()}}))
    scene.wait_for_start("plan")
    scene.platform.offer(scene.job(2))
    scene.open_gate()
    assert scene.result().outcome == "planned"
    assert scene.starts().count("plan") == 1
    assert scene.run(scene.job(3)).outcome == "planned"
