"""Attempts with pods come to an end: three of a phase whose pods are lost, three new plans in place of stale ones.

What has failed by itself names every attempt, and a plan that was made anew is never applied without a person's word.
"""

from pathlib import Path

import pytest

from tests.e2e.client import Row
from tests.e2e.configurations import Gated, SlowInit, SlowPlan, trivial
from tests.e2e.pod_crew import PodCrew
from tests.e2e.work import Task
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

MOST_ATTEMPTS = 3
MOST_NEW_PLANS = 3
POD_SECONDS = 90.0
"""For a pod to be missed, and another one to come and get as far."""


def test_a_plan_whose_pods_are_lost_three_times_fails_and_names_each(pods: PodCrew, tmp_path: Path) -> None:
    poison = SlowPlan(tmp_path)
    workspace = pods.workspace(poison.files)
    workspace.set(*poison.variable)
    task = workspace.task()
    lost = [_lost(pods, task, attempt, stage="planning", waits_as="pending") for attempt in range(1, MOST_ATTEMPTS + 1)]
    _has_failed(task, "plan", lost)
    poison.settle()
    again = Task(workspace, task.do("retry")["id"])
    assert again.until("apply_pending", seconds=POD_SECONDS)["attempt"] == 1


def test_an_apply_whose_pods_are_lost_before_its_permit_fails_after_three_attempts(
    pods: PodCrew, tmp_path: Path
) -> None:
    slow = SlowInit(tmp_path)
    workspace = pods.workspace(slow.files)
    task = workspace.task()
    planned = task.until("apply_pending")
    slow.block()
    pods.cluster.node.kill(planned["pod_name"])
    task.confirm()
    each = range(1, MOST_ATTEMPTS + 1)
    lost = [_lost(pods, task, attempt, stage="initializing", waits_as="confirmed") for attempt in each]
    _has_failed(task, "apply", lost)
    assert planned["pod_name"] not in lost
    assert len(task.happened("confirm")) == 1
    assert workspace.state() is None
    slow.settle()
    again = Task(workspace, task.do("retry")["id"])
    digest = again.until("apply_pending", seconds=POD_SECONDS)["plan_digest"]
    again.confirm(plan_digest=digest)
    again.until("applied", seconds=POD_SECONDS)


def test_a_plan_that_is_stale_on_each_new_pod_is_made_three_times_anew_and_confirmed_each_time(
    pods: PodCrew, gated: Gated
) -> None:
    task = pods.workspace(gated.files).task()
    confirmed = [_confirmed_and_stale(pods, task, serial) for serial in range(1, MOST_NEW_PLANS + 2)]
    failed = task.until("failed", seconds=POD_SECONDS)
    assert (failed["error_code"], failed["retry_count"]) == ("attempts_exhausted", MOST_NEW_PLANS)
    assert failed["error_message"].startswith(f"The plan was stale {MOST_NEW_PLANS + 1} times in a row.")
    digests, names = ({row[column] for row in confirmed} for column in ("plan_digest", "pod_name"))
    assert len(digests) == len(names) == MOST_NEW_PLANS + 1
    events = [move["event"] for move in task.events()]
    assert events.count("confirm") == events.count("stale") == MOST_NEW_PLANS + 1
    assert gated.ledger() == [], "something was applied"
    pods.workspace(trivial(), auto_apply=True).task().until("applied", seconds=POD_SECONDS)


def _lost(pods: PodCrew, task: Task, attempt: int, *, stage: str, waits_as: str) -> str:
    """Kill the pod of an attempt that is at this stage, see it miss it, and go on at once; return the pod's name."""
    row = until(f"attempt {attempt} is {stage}", lambda: _at(task, attempt, stage), seconds=POD_SECONDS)
    name: str = row["pod_name"]
    pods.cluster.node.kill(name)
    if attempt < MOST_ATTEMPTS:
        until("it backs off", lambda: len(task.happened("interrupted")) == attempt, seconds=POD_SECONDS)
        assert task.happened("interrupted")[-1]["to"] == waits_as
        task.hurry()
    return name


def _has_failed(task: Task, phase: str, lost: list[str]) -> None:
    failed = task.until("failed", seconds=POD_SECONDS)
    assert (failed["error_code"], failed["retry_count"]) == ("attempts_exhausted", 0)
    assert failed["error_message"].startswith(f"{MOST_ATTEMPTS} attempts at the {phase} broke off:")
    assert len(set(lost)) == MOST_ATTEMPTS
    assert all(f"Pod {name} is gone." in failed["error_message"] for name in lost), failed["error_message"]


def _confirmed_and_stale(pods: PodCrew, task: Task, serial: int) -> Row:
    """Let it be planned and confirmed, and move the state before any pod can apply it; return the confirmed row."""
    planned = until("there is a plan to confirm", lambda: _planned(task, serial), seconds=POD_SECONDS)
    refused = task.client.send("POST", f"{task.path}/confirm-apply", {"plan_digest": "0" * 64})
    assert refused.status_code == 409
    pods.cluster.node.kill(planned["pod_name"])
    task.confirm(plan_digest=planned["plan_digest"])
    state = {"version": 4, "serial": serial, "lineage": "somebody-elses", "outputs": {}, "resources": []}
    assert task.client.send("POST", f"{task.workspace.path}/state-versions", state).status_code == 201
    return planned


def _planned(task: Task, number: int) -> Row | None:
    row = task.row()
    return row if (row["status"], row["retry_count"]) == ("apply_pending", number - 1) else None


def _at(task: Task, attempt: int, stage: str) -> Row | None:
    row = task.row()
    return row if (row["stage"], row["attempt"]) == (stage, attempt) else None
