"""A pod that somebody else deletes takes nothing new from the next look on; what it runs, it finishes."""

import pytest

from agents.models import Agent
from iacplatform.base import clock
from pools.models import Pod, PodPhase, Pool
from tests.agents import scenes
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, labels, look
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]


@pytest.fixture
def pool() -> Pool:
    return pods.pool(slots_per_pod=3)


@pytest.fixture
def agent(pool: Pool, cluster: Cluster) -> Agent:
    """Return the agent of a pod that works; the node says nothing to it, as if it were cut off from its cluster."""
    made = pods.served(pool, seconds=60)
    cluster.put(made.name, labels=labels(made), phase="Running", ready=True)
    return pods.agent(made)


def somebody_deletes(cluster: Cluster, pool: Pool) -> None:
    cluster.change(Pod.objects.get(pool=pool).name, deleting=True)
    look(pool.k8s_config)


def test_its_agent_takes_nothing_new(pool: Pool, agent: Agent, cluster: Cluster) -> None:
    somebody_deletes(cluster, pool)
    task = pods.pending(pool)
    assert Agent.objects.get(pk=agent.pk).draining
    assert factories.reread(task).lease == ""


def test_what_it_runs_goes_on_and_what_is_kept_there_goes_elsewhere(pool: Pool, agent: Agent, cluster: Cluster) -> None:
    runs = factories.running(pods.pending(pool))
    kept = factories.awaiting_confirmation(on=agent, workspace=scenes.workspace_of(pool))
    somebody_deletes(cluster, pool)
    assert factories.reread(runs).status == "running"
    assert factories.reread(kept).reason_code == "reservation_lost"


def test_a_look_that_was_cut_short_is_made_up_for(pool: Pool, agent: Agent, cluster: Cluster) -> None:
    Pod.objects.filter(pool=pool).update(phase=PodPhase.DELETING, deadline=clock.now())
    somebody_deletes(cluster, pool)
    assert Agent.objects.get(pk=agent.pk).draining
