"""Incidents 484, 511, 601 and 713 with pods: what was stuck for ever there moves by itself here, or says what to do."""

from typing import Any

import pytest

from tests.e2e.configurations import Gated, trivial
from tests.e2e.pod_crew import PodCrew
from tests.e2e.work import Task
from tests.waiting import until

pytestmark = pytest.mark.cluster

SOON_SECONDS = 150.0
"""A pod that is gone is seen within ten seconds; then another one starts."""


def reason_of(task: Task) -> dict[str, Any]:
    """Return why the task waits, empty where it does not."""
    reason: dict[str, Any] | None = task.row()["wait_reason"]
    return reason or {}


def test_601_a_confirmed_plan_whose_pod_is_gone_is_applied_on_another_one(pods: PodCrew) -> None:
    task = pods.workspace(trivial()).task()
    planned = task.until("apply_pending")
    pods.cluster.node.kill(planned["pod_name"])
    told = task.confirm()["dispatch"]
    assert told["outcome"] in {"offered", "waiting"}
    done = task.until("applied", seconds=SOON_SECONDS)
    assert done["pod_name"] not in {"", planned["pod_name"]}
    assert (done["plan_digest"], done["retry_count"]) == (planned["plan_digest"], 0)


def test_601_before_the_click_the_task_says_that_its_slot_is_gone(pods: PodCrew) -> None:
    task = pods.workspace(trivial()).task()
    planned = task.until("apply_pending")
    pods.cluster.delete("pods", planned["pod_name"], grace=0)
    until("the lost slot is told", lambda: reason_of(task).get("code") == "reservation_lost", seconds=SOON_SECONDS)
    assert task.row()["pod_name"] == ""
    task.confirm()
    assert task.until("applied", seconds=SOON_SECONDS)["plan_digest"] == planned["plan_digest"]


def test_601_a_stale_plan_is_made_anew_on_another_pod_and_confirmed_anew(pods: PodCrew) -> None:
    workspace = pods.workspace(trivial())
    task = workspace.task()
    planned = task.until("apply_pending")
    pods.cluster.node.kill(planned["pod_name"])
    task.confirm()
    state = {"version": 4, "serial": 1, "lineage": "somebody-elses", "outputs": {}, "resources": []}
    assert workspace.client.send("POST", f"{workspace.path}/state-versions", state).status_code == 201
    fresh = until("a new plan is made", lambda: _planned_anew(task, planned["plan_digest"]), seconds=SOON_SECONDS)
    assert fresh["retry_count"] == 1
    assert workspace.client.refused("POST", f"{task.path}/confirm-apply", {})["code"] == "plan_changed"
    task.confirm(plan_digest=fresh["plan_digest"])
    task.until("applied", seconds=SOON_SECONDS)


def test_713_a_pod_that_failed_is_cleaned_and_replaced_though_nobody_asks(pods: PodCrew) -> None:
    pods.change(min_replicas=1)
    pods.until_connected(1)
    (first,) = pods.until_pods(1)
    pods.cluster.node.oom_kill(first)
    until("it is cleaned", lambda: first not in pods.pods(), seconds=SOON_SECONDS)
    (second,) = pods.until_pods(1)
    pods.until_connected(1)
    assert second != first
    causes = {row["name"]: row["cause"] for row in pods.rows()}
    assert "OOMKilled" in causes[first]
    pods.workspace(trivial(), auto_apply=True).task().until("applied")


def test_713_a_task_tells_the_clusters_words_and_goes_on_when_the_image_is_corrected(pods: PodCrew) -> None:
    pods.configure(image="missing/agent:1")
    task = pods.workspace(trivial(), auto_apply=True).task()
    until("it tells of the image", lambda: reason_of(task).get("code") == "image_pull_failed", seconds=SOON_SECONDS)
    reason = reason_of(task)
    assert "missing/agent:1" in reason["message"]
    assert reason["turn"] == "cluster"
    condition = until("its pool tells of it too", lambda: pods.row()["condition"])
    assert condition["code"] == "image_pull_failed"
    pods.configure(image="agent:1")
    task.until("applied", seconds=SOON_SECONDS)
    until("the pool is well", lambda: pods.row()["condition"] is None, seconds=SOON_SECONDS)


def test_713_a_pod_that_is_deleted_behind_our_back_in_an_apply_finishes_it(pods: PodCrew, gated: Gated) -> None:
    task = pods.workspace(gated.files, auto_apply=True).task()
    name = task.until_stage("applying")["pod_name"]
    until("the apply has begun", lambda: gated.ticks() > 5)
    pods.cluster.delete("pods", name)
    until("it is told to end", lambda: "takes nothing new" in pods.cluster.node.output(name))
    later = pods.workspace(trivial(), auto_apply=True).task()
    assert later.until("applied", seconds=SOON_SECONDS)["pod_name"] != name
    gated.open()
    assert task.until("applied")["pod_name"] == name
    pods.cluster.until_gone(name)
    assert gated.ledger() == ["begun", "ended"]


def test_713_an_agent_on_a_node_that_is_cut_off_ends_its_apply_and_takes_nothing_new(
    pods: PodCrew, gated: Gated
) -> None:
    pods.cluster.another_node()
    task = pods.workspace(gated.files, auto_apply=True).task()
    row = task.until_stage("applying")
    until("the apply has begun", lambda: gated.ticks() > 5)
    node = next(node for node in pods.cluster.nodes if row["pod_name"] in node.outputs())
    node.lose()
    until("it is drained", lambda: pods.client.get(f"/agents/{row['agent_id']}")["draining"], seconds=SOON_SECONDS)
    later = pods.workspace(trivial(), auto_apply=True).task()
    assert later.until("applied", seconds=SOON_SECONDS)["pod_name"] != row["pod_name"]
    gated.open()
    assert task.until("applied")["pod_name"] == row["pod_name"]
    assert gated.ledger() == ["begun", "ended"]
    node.come_back()
    pods.cluster.until_gone(row["pod_name"])


def test_484_a_confirmation_says_what_it_waits_for_and_nothing_runs_elsewhere(pods: PodCrew) -> None:
    task = pods.workspace(trivial()).task()
    name = task.until("apply_pending")["pod_name"]
    pods.change(max_replicas=0)
    pods.cluster.delete("pods", name, grace=0)
    until("the lost slot is told", lambda: reason_of(task).get("code") == "reservation_lost", seconds=SOON_SECONDS)
    told = task.confirm()["dispatch"]
    assert (told["outcome"], told["wait_reason"]["code"]) == ("waiting", "pool_at_max")
    row = task.row()
    assert (row["status"], row["stage"], row["agent_id"]) == ("confirmed", "", "")
    pods.change(max_replicas=1)
    task.until("applied", seconds=SOON_SECONDS)


def test_511_a_workspace_cannot_be_sent_to_a_pool_that_reaches_no_cluster(pods: PodCrew) -> None:
    client = pods.client
    fault = client.refused("POST", "/pools", {"name": "no-cluster", "pool_type": "k8s"}, status=400)
    assert "needs a K8s config" in str(fault["errors"])
    fault = client.refused("POST", "/workspaces", {"name": "nowhere", "execution_mode": "k8s"}, status=400)
    assert "pool_id" in fault["errors"]
    fault = client.refused("PATCH", f"/pools/{pods.pool_id}", {"k8s_config": None}, status=400)
    assert "needs a K8s config" in str(fault["errors"])


def _planned_anew(task: Task, digest: str) -> dict[str, Any] | None:
    row = task.row()
    return row if row["status"] == "apply_pending" and row["plan_digest"] != digest else None
