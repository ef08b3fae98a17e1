"""The engine is started as often as a phase needs, and no more."""

import pytest

from tests.runner.scene import Scene


@pytest.mark.usefixtures("fake_agent")
def test_a_plan_starts_init_plan_and_show(scene: Scene) -> None:
    assert scene.run(scene.job()).outcome == "planned"
    assert scene.starts() == ["init", "plan", "show"]


@pytest.mark.usefixtures("fake_agent")
def test_an_apply_in_the_folder_of_its_plan_starts_nothing_else(scene: Scene) -> None:
    job = scene.applying()
    assert scene.run(job).outcome == "applied"
    assert scene.starts() == ["init", "plan", "show", "apply"]


@pytest.mark.usefixtures("fake_agent")
def test_only_a_plan_that_may_be_applied_takes_the_state_lock(scene: Scene) -> None:
    for task, task_type in enumerate(("plan", "plan_and_apply", "destroy")):
        scene.run(scene.job(task, task_type=task_type))
    plans = [line["arguments"] for line in scene.ledger() if line.get("start") == "plan"]
    assert ["-lock=false" in plan for plan in plans] == [True, False, False]
    assert ["-destroy" in plan for plan in plans] == [False, False, True]


@pytest.mark.usefixtures("fake_agent")
def test_an_offer_that_comes_twice_runs_once(scene: Scene) -> None:
    job = scene.job()
    scene.platform.offer(job)
    assert scene.run(job).outcome == "planned"
    scene.platform.offer(job)
    scene.run(scene.job(2))
    assert scene.starts() == ["init", "plan", "show"] * 2
