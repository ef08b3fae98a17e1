"""Incidents 713 and 601: only a slot of a connected agent is one. A pod is none before its agent comes, nor after."""

from typing import Any

import pytest

from agents import dispatcher, explain, sessions, sweep
from agents.models import Agent
from pools.models import Pod, PodPhase, Pool, PoolStatus, PoolToken
from tasks.models import Task
from tests.agents.conftest import Later
from tests.agents.scenes import confirm, cut_off, hello, offered_to, pod, silence, working_pod, workspace_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def reason_of(task: Task) -> dict[str, Any]:
    reason: dict[str, Any] | None = factories.reread(task).reason
    assert reason is not None
    return reason


@pytest.mark.parametrize("phase", [PodPhase.INTENDED, PodPhase.STARTING, PodPhase.RUNNING, PodPhase.DELETING])
def test_a_pod_without_a_connected_agent_takes_nothing(k8s_pool: Pool, phase: PodPhase) -> None:
    pod(k8s_pool, phase=phase, slots=3)
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert factories.reread(task).lease == ""
    evidence = reason_of(task)["evidence"]
    assert (evidence["agents"], evidence["slots"], evidence["free"]) == (0, 0, 0)


def test_a_pod_whose_agent_is_gone_takes_nothing(k8s_pool: Pool) -> None:
    silence(working_pod(k8s_pool, "iac-1"))
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert reason_of(task)["code"] == "no_connected_agent"
    assert "A pod is being asked for." in reason_of(task)["message"]


def test_a_pool_that_may_have_no_other_pod_says_whose_agent_is_away(k8s_pool: Pool) -> None:
    Pool.objects.filter(pk=k8s_pool.pk).update(max_replicas=1)
    silence(working_pod(k8s_pool, "iac-1"))
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert reason_of(task)["code"] == "no_connected_agent"
    assert "(iac-1), as many as it may" in reason_of(task)["message"]


def test_a_reason_lasts_while_pods_come_and_go(k8s_pool: Pool, later: Later) -> None:
    """A task that no pod helps must not look as if it had begun to wait just now, each time a pod is tried."""
    shown = {"condition_code": "image_pull_failed", "condition_message": "ErrImagePull", "condition_count": 1}
    PoolStatus.objects.create(pool=k8s_pool, **shown)
    first = pod(k8s_pool, trouble="image_pull_failed", trouble_words="ErrImagePull")
    task = factories.pending(workspace=workspace_of(k8s_pool))
    since = factories.reread(task).reason_since
    later(60)
    Pod.objects.filter(pk=first.pk).update(phase=PodPhase.GONE)
    pod(k8s_pool)
    dispatcher.dispatch(k8s_pool.pk, cause="test")
    assert (factories.reread(task).reason_code, factories.reread(task).reason_since) == ("image_pull_failed", since)


def test_the_trouble_of_one_pod_is_told_only_where_no_other_one_comes(k8s_pool: Pool) -> None:
    pod(k8s_pool, "iac-1", trouble="pod_unschedulable", trouble_words="0/1 nodes are available.")
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert reason_of(task)["code"] == "pod_unschedulable"
    assert '"0/1 nodes are available."' in reason_of(task)["message"]
    assert reason_of(task)["blocker"] == {"kind": "pod", "id": "iac-1"}
    assert "kubectl --namespace default describe pod iac-1" in reason_of(task)["remedy"]
    assert "K8s config is cluster-1" in reason_of(task)["remedy"]
    pod(k8s_pool, "iac-2")
    dispatcher.dispatch(k8s_pool.pk, cause="test")
    assert reason_of(task)["code"] == "pod_starting"
    assert reason_of(task)["blocker"] == {"kind": "pod", "id": "iac-2"}


def test_a_pool_that_has_all_its_pods_needs_no_cluster(k8s_pool: Pool) -> None:
    Pool.objects.filter(pk=k8s_pool.pk).update(max_replicas=1)
    PoolStatus.objects.create(pool=k8s_pool, condition_code="cluster_unreachable", condition_message="timed out")
    factories.planning(on=working_pod(k8s_pool), workspace=workspace_of(k8s_pool))
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert reason_of(task)["code"] == "pool_at_max"
    Pool.objects.filter(pk=k8s_pool.pk).update(max_replicas=2)
    dispatcher.dispatch(k8s_pool.pk, cause="test")
    assert reason_of(task)["code"] == "cluster_unreachable"
    assert reason_of(task)["message"].startswith("Every slot of the connected agents is taken (1 in all).")


def test_a_pod_that_comes_is_worth_more_than_one_that_takes_nothing(k8s_pool: Pool, later: Later) -> None:
    working_pod(k8s_pool)
    task = factories.pending(workspace=workspace_of(k8s_pool))
    later(10.1)
    sweep.sweep()
    assert reason_of(task)["code"] == "offer_not_accepted"
    pod(k8s_pool)
    dispatcher.dispatch(k8s_pool.pk, cause="test")
    assert reason_of(task)["code"] == "pod_starting"


def test_nobody_looks_at_the_cluster_and_the_remedy_says_so(k8s_pool: Pool, later: Later) -> None:
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert "worker" not in reason_of(task)["remedy"]
    later(121)
    dispatcher.dispatch(k8s_pool.pk, cause="test")
    assert "an operator starts a worker" in reason_of(task)["remedy"]


def test_a_confirmed_plan_whose_pod_is_gone_is_applied_on_another_pod(k8s_pool: Pool) -> None:
    """Incident 601."""
    planner = working_pod(k8s_pool, "iac-1")
    task = factories.awaiting_confirmation(on=planner, workspace=workspace_of(k8s_pool))
    assert (task.lease, task.pod_name) == ("reserved", "iac-1")
    Pod.objects.filter(name="iac-1").update(phase=PodPhase.GONE)
    silence(planner)
    confirm(task)
    assert reason_of(task)["code"] == "no_connected_agent"
    made = pod(k8s_pool, "iac-2")
    token, _ = PoolToken.issue(pool=k8s_pool, pod=made)
    sessions.open_session(token, hello("iac-2", pod_name="iac-2"))
    task = factories.reread(task)
    assert (task.status, task.lease, task.pod_name) == ("confirmed", "offered", "iac-2")


def test_a_warm_pod_applies_what_it_planned(k8s_pool: Pool) -> None:
    planner, other = working_pod(k8s_pool, "iac-1"), working_pod(k8s_pool, "iac-2")
    task = factories.awaiting_confirmation(on=planner, workspace=workspace_of(k8s_pool))
    confirm(task)
    assert (offered_to(planner), offered_to(other)) == ([task.pk], [])


def test_one_that_is_cut_off_is_waited_for_for_a_moment(k8s_pool: Pool, later: Later) -> None:
    planner, other = working_pod(k8s_pool, "iac-1"), working_pod(k8s_pool, "iac-2")
    task = factories.awaiting_confirmation(on=planner, workspace=workspace_of(k8s_pool))
    cut_off(Agent.objects.get(pk=planner.pk))
    confirm(task)
    assert "reconnecting" in reason_of(task)["message"]
    later(6)
    dispatcher.dispatch(k8s_pool.pk, cause="test")
    assert offered_to(other) == [task.pk]


def test_explain_says_the_same(k8s_pool: Pool) -> None:
    pod(k8s_pool)
    task = factories.reread(factories.pending(workspace=workspace_of(k8s_pool)))
    told = explain.explain(task)
    gate = next(answer for answer in told["gates"] if answer["result"] == "wait")
    assert gate["name"] == "agents_connected"
    for part in ("code", "turn", "message", "remedy", "blocker", "evidence", "actions", "since", "deadline"):
        assert gate["reason"][part] == told["wait_reason"][part]
