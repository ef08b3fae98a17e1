"""Incident 515: two workspaces at once, capacity for one. The second says so, and starts as soon as there is more."""

from tests.e2e.configurations import Gated, trivial
from tests.e2e.crew import Crew
from tests.e2e.work import Task


def test_the_second_workspace_says_that_no_slot_is_free_and_starts_when_an_agent_connects(
    crew: Crew, gated: Gated
) -> None:
    crew.agent("one")
    first = crew.workspace(gated.files, auto_apply=True).task()
    first.until_stage("applying")
    second = crew.workspace(trivial()).task()
    reason = second.row()["wait_reason"]
    assert (reason["code"], reason["turn"]) == ("no_free_slot", "machine")
    assert (reason["evidence"]["agents"], reason["evidence"]["slots"], reason["evidence"]["free"]) == (1, 1, 0)
    assert reason["blocker"] == {"kind": "pool", "id": crew.pool_id}
    crew.agent("two")
    second.until("apply_pending")
    assert second.row()["agent_id"] == crew.agent_id("two")
    assert first.row()["status"] == "running"
    gated.open()
    first.until("applied")


def test_of_two_tasks_at_once_each_gets_its_agent(crew: Crew) -> None:
    crew.agent("one")
    crew.agent("two")
    tasks = [crew.workspace(trivial()).task() for _ in range(2)]
    planners = {task.until("apply_pending")["agent_id"] for task in tasks}
    assert planners == {crew.agent_id("one"), crew.agent_id("two")}


def test_plans_that_wait_for_a_person_take_no_capacity_from_others(crew: Crew) -> None:
    crew.agent("one")
    read_later = [_planned(crew) for _ in range(3)]
    assert [task.row()["status"] for task in read_later] == ["apply_pending"] * 3
    crew.workspace(trivial(), auto_apply=True).task().until("applied")
    read_later[0].confirm()
    read_later[0].until("applied")


def _planned(crew: Crew) -> Task:
    task = crew.workspace(trivial()).task()
    task.until("apply_pending")
    return task
