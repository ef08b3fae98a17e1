"""Incident 484: a confirmation answers with what came of it, and nothing runs anywhere but on an agent of the pool."""

from typing import Any

import pytest

from pools.models import Pod, PodPhase, Pool
from tasks.models import Task
from tests import factories as rows
from tests.agents.scenes import pod, silence, working_pod, workspace_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool() -> Pool:
    """Return a pool of at most two pods."""
    return rows.k8s_pool(name="pods-1", min_replicas=0, max_replicas=2)


def confirm(task: Task) -> dict[str, Any]:
    """Confirm through the API; return what its answer says of the dispatch."""
    api = rows.client(rows.admin())
    address = f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/confirm-apply"
    answer: Any = api.post(address, {"plan_digest": task.plan_digest}, format="json")
    assert answer.status_code == 202, answer.content
    told: dict[str, Any] = answer.json()["dispatch"]
    return told


def test_it_names_the_pod_s_agent_that_was_offered_it(pool: Pool) -> None:
    planner = working_pod(pool)
    told = confirm(factories.awaiting_confirmation(on=planner, workspace=workspace_of(pool)))
    assert told == {"outcome": "offered", "agent_id": planner.pk, "slot": 0, "wait_reason": None}


def test_it_says_which_pod_is_waited_for(pool: Pool) -> None:
    planner = working_pod(pool, "iac-1")
    task = factories.awaiting_confirmation(on=planner, workspace=workspace_of(pool))
    silence(planner)
    Pod.objects.filter(name="iac-1").update(phase=PodPhase.GONE)
    pod(pool, "iac-2")
    told = confirm(task)
    assert (told["outcome"], told["agent_id"], told["wait_reason"]["code"]) == ("waiting", None, "pod_starting")
    assert "iac-2" in told["wait_reason"]["message"]
    assert factories.reread(task).status == "confirmed"
