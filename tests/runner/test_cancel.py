"""A cancel is one SIGINT to the engine alone, then the grace time, then the kill."""

import pytest

from agents.protocol import AskPermit, Cancel, Progress
from tests import processes
from tests.runner.scene import Scene
from tests.waiting import ENOUGH_SECONDS

pytestmark = pytest.mark.usefixtures("fake_agent")
CANCEL = Cancel(task=1, epoch=2, grace_seconds=ENOUGH_SECONDS)


def test_the_engine_gets_exactly_one_interrupt(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=60))
    scene.wait_for_start("apply")
    for _ in range(3):
        scene.platform.tell(CANCEL)
    result = scene.result(1, 2)
    assert (result.outcome, result.exit_code) == ("cancelled", 1)
    assert scene.signals() == ["apply"]
    assert "cancelling" in [word.stage for word in scene.platform.said(Progress)]


def test_an_engine_that_does_not_end_in_its_grace_time_is_killed(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=60, on_interrupt="ignore"))
    pid = scene.process_of("apply")
    scene.platform.tell(Cancel(task=1, epoch=2, grace_seconds=0.3))
    result = scene.result(1, 2)
    assert (result.outcome, result.exit_code) == ("cancelled", -9)
    assert not processes.alive(pid)


def test_an_apply_that_ends_well_all_the_same_is_applied(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=60, on_interrupt=0))
    scene.wait_for_start("apply")
    scene.platform.tell(CANCEL)
    assert scene.result(1, 2).outcome == "applied"


def test_a_plan_that_ends_well_all_the_same_is_planned(scene: Scene) -> None:
    scene.platform.offer(scene.job(behaviour={"plan": {"until": scene.gate(), "on_interrupt": "ignore"}}))
    scene.wait_for_start("plan")
    scene.platform.tell(Cancel(task=1, epoch=1, grace_seconds=ENOUGH_SECONDS))
    scene.eventually(scene.signals)
    scene.open_gate()
    assert scene.result().outcome == "planned"
    assert scene.signals() == ["plan"]


def test_without_the_permit_nothing_is_applied(scene: Scene) -> None:
    scene.platform.permits = False
    scene.platform.offer(scene.applying())
    scene.eventually(lambda: scene.platform.said(AskPermit))
    scene.platform.tell(CANCEL)
    result = scene.result(1, 2)
    assert (result.outcome, result.exit_code) == ("cancelled", 0)
    assert "Nothing was applied" in result.error_message
    assert "apply" not in scene.starts()
