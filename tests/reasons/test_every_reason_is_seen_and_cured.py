"""Every reason for real: within two sweeps on task, API and page, with legal actions; its remedy moves the task."""

from typing import Any

import pytest

from pools.models import Pool
from tasks import actions
from tasks.models import Task
from tests import factories as rows
from tests.agents.scenes import workspace_of
from tests.console import pages
from tests.reasons.pod_scenes import ALL, POD_SCENES
from tests.reasons.scenes import SCENES, Scene, rule_suspended
from tests.reasons.surroundings import Surroundings
from tests.tasks import factories

SWEEPS_IN_FIVE_SECONDS = 2


@pytest.fixture(params=list(ALL.values()), ids=list(ALL))
def scene(request: pytest.FixtureRequest) -> Scene:
    """Return each scene in turn."""
    found: Scene = request.param
    return found


def test_the_reason_is_seen_and_its_remedy_moves_the_task(around: Surroundings, scene: Scene) -> None:
    assert max(scene.sweeps, scene.sweeps_after) <= SWEEPS_IN_FIVE_SECONDS
    task = scene.build(around)
    around.sweep(scene.sweeps)
    reason = seen_everywhere(around, task)
    assert (reason["code"], reason["turn"]) == (scene.code, scene.turn)
    scene.cure(around, factories.reread(task))
    around.sweep(scene.sweeps_after)
    after = factories.reread(task)
    assert {after.status, after.lease} & set(scene.moved), (after.status, after.lease, after.reason)
    assert after.reason_code != scene.code or "offered" in scene.moved


@pytest.mark.parametrize("name", POD_SCENES)
def test_the_gates_say_of_pods_what_the_task_says(around: Surroundings, name: str) -> None:
    task = POD_SCENES[name].build(around)
    assert_that_gates_agree(around, task)


def assert_that_gates_agree(around: Surroundings, task: Task) -> None:
    """Fail unless the gate that holds the task up says, asked anew, what the task's row says."""
    told = around.explained(task)
    gate = next(answer["reason"] for answer in told["gates"] if answer["result"] == "wait")
    for part in ("code", "turn", "message", "remedy", "blocker", "evidence", "actions", "since", "deadline"):
        assert gate[part] == told["wait_reason"][part], part


def seen_everywhere(around: Surroundings, task: Task) -> dict[str, Any]:
    """Return the reason as the API shows it, after it was seen the same on row, explanation and page."""
    shown = around.shown(task)
    reason: dict[str, Any] = shown["wait_reason"]
    row = Task.objects.with_outlook().get(pk=task.pk)
    assert row.wait_reason is not None
    for told in (row.wait_reason, around.explained(task)["wait_reason"]):
        assert (told["code"], told["message"]) == (reason["code"], reason["message"])
    _is_plain(reason)
    _is_legal(reason, shown["actions"], actions.open_to(row, around.person))
    _is_on_its_page(around, row, reason, is_stuck=shown["stuck"])
    return reason


def _is_plain(reason: dict[str, Any]) -> None:
    assert reason["message"].endswith((".", "…")), reason
    assert reason["remedy"].endswith(".") or "terraform force-unlock" in reason["remedy"], reason
    assert reason["since"] and reason["next_check_at"]


def _is_legal(reason: dict[str, Any], shown: list[str], open_to_all_rights: list[str]) -> None:
    assert shown == open_to_all_rights
    assert set(reason["actions"]) <= set(shown), f"{reason['code']} offers what is not open: {reason['actions']}"


def _is_on_its_page(around: Surroundings, task: Task, reason: dict[str, Any], *, is_stuck: bool) -> None:
    page = around.console.get(pages.address(task))
    assert reason["message"][1:] in pages.text(page)
    assert reason["remedy"] in pages.text(page)
    assert ({reason["code"]} if is_stuck else set()) == pages.stuck(page).keys()
    assert set(reason["actions"]) <= pages.actions(page, task)
    listed = around.console.get("/tasks/").content.decode()
    assert (f'data-stuck="{reason["code"]}"' in listed) == is_stuck


def test_a_pool_without_a_config_says_so_where_the_database_let_it_be(around: Surroundings) -> None:
    pool = rows.k8s_pool(name="pods-1")
    config = pool.k8s_config_id
    with rule_suspended("pools_pool", "pool_of_type_k8s_has_a_config"):
        Pool.objects.filter(pk=pool.pk).update(k8s_config=None)
        task = around.create(workspace_of(pool))
        reason = seen_everywhere(around, task)
        assert (reason["code"], reason["turn"]) == ("pool_has_no_config", "config")
        around.change(f"/pools/{pool.pk}", k8s_config=config)
    around.connect("pod-1", pool=pool)
    assert factories.reread(task).lease == "offered"


def test_where_nobody_acts_config_and_lost_applies_are_stuck_and_waiting_for_a_reader_is_not(
    around: Surroundings,
) -> None:
    stuck = {SCENES[name].build(around).pk for name in ("without a pool", "lost in mid-apply")}
    reader = SCENES["planned"].build(around)
    around.sweep()
    around.later(300)
    around.sweep()
    assert set(Task.objects.stuck().values_list("pk", flat=True)) == stuck
    assert around.shown(reader)["stuck"] is False
    assert around.shown(reader)["wait_reason"]["since"]
