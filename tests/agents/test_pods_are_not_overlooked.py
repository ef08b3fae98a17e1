"""A task that waits for a pod although a slot is free counts as stuck, whatever its reason says; and so after its grace."""

import pytest

from iacplatform.base.models import SWEEP, Beat
from pools.conditions import Condition
from pools.models import Pool, PoolStatus
from tasks.models import Task
from tasks.signals import task_moved
from tests.agents.conftest import Later
from tests.agents.scenes import pod, working_pod, workspace_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def later(later: Later) -> Later:
    """Return a function that lets so many seconds pass, at the end of which the sweep came by."""

    def _later(seconds: float) -> None:
        later(seconds)
        Beat.objects.strike(SWEEP)

    return _later


def is_stuck(task: Task) -> bool:
    return Task.objects.stuck().filter(pk=task.pk).exists()


def bring_into(pool: Pool, code: str) -> None:
    """Let the pool have this to say of its pods."""
    if code == "pod_starting":
        pod(pool)
    elif code == "pool_at_max":
        Pool.objects.filter(pk=pool.pk).update(max_replicas=1)
        factories.planning(on=working_pod(pool), workspace=workspace_of(pool))
    else:
        PoolStatus.objects.create(pool=pool, condition_code=code, condition_message="The cluster's words.")


@pytest.mark.parametrize("code", ["pod_starting", "pool_at_max", *Condition])
def test_beside_a_free_slot_it_is_overlooked(
    k8s_pool: Pool, code: str, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_into(k8s_pool, code)
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert factories.reread(task).reason_code == code
    monkeypatch.setattr(task_moved, "send_robust", lambda **facts: [])
    later(6)
    assert not is_stuck(task)
    factories.agent("by-hand", pool=k8s_pool, connected=True)
    later(6)
    assert is_stuck(task)


def test_a_pool_that_may_have_no_pods_overlooks_nobody(k8s_pool: Pool, later: Later) -> None:
    agent = working_pod(k8s_pool)
    Pool.objects.filter(pk=k8s_pool.pk).update(max_replicas=0)
    task = factories.pending(workspace=workspace_of(k8s_pool))
    later(10)
    assert agent.capacity and factories.reread(task).reason_code == "pool_at_max"
    assert not is_stuck(task)


@pytest.mark.parametrize("code", list(Condition))
def test_what_a_cluster_refuses_is_stuck_after_its_grace(k8s_pool: Pool, code: str, later: Later) -> None:
    bring_into(k8s_pool, code)
    task = factories.pending(workspace=workspace_of(k8s_pool))
    later(50)
    assert not is_stuck(task)
    later(260)
    assert is_stuck(task)


def test_a_pod_that_starts_is_stuck_after_its_deadline(k8s_pool: Pool, later: Later) -> None:
    pod(k8s_pool)
    task = factories.pending(workspace=workspace_of(k8s_pool))
    later(300)
    assert not is_stuck(task)
    later(40)
    assert is_stuck(task)


def test_beside_pods_that_work_it_only_takes_longer(k8s_pool: Pool, later: Later) -> None:
    PoolStatus.objects.create(pool=k8s_pool, condition_code="quota_exceeded", condition_message="exceeded quota")
    factories.planning(on=working_pod(k8s_pool), workspace=workspace_of(k8s_pool))
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert factories.reread(task).reason_code == "quota_exceeded"
    later(600)
    assert not is_stuck(task)
