"""Pods of ours that no row knows are adopted or removed; a pod that is not ours is never touched."""

from datetime import timedelta

import pytest

from agents.fleet.leases import PINNED
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import Beat
from pools.models import Pod, PodPhase, Pool, PoolToken
from pools.sightings import MANAGED_BY, PLATFORM, POOL, ROW
from tests.fleet import pods
from tests.fleet.clusters import Cluster, cluster, labels, look
from tests.tasks import factories as tasks

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]


@pytest.fixture
def pool() -> Pool:
    return pods.pool()


@pytest.fixture(autouse=True)
def _agents_could_be_heard() -> None:
    Beat.objects.create(name="web:1", unbroken_since=clock.now() - timedelta(hours=1))


def lost_row(pool: Pool, cluster: Cluster, *, seconds: float = 61) -> str:
    """Have a pod whose row vanished, as after a database was restored; return its name."""
    row = pods.pod(pool)
    cluster.put(row.name, labels=labels(row), created_at=clock.now() - timedelta(seconds=seconds), phase="Running")
    Pod.objects.all().delete()
    return row.name


def test_one_that_nobody_speaks_for_is_removed(pool: Pool, cluster: Cluster) -> None:
    name = lost_row(pool, cluster)
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == [name]


def test_its_agent_has_time_to_come_back(pool: Pool, cluster: Cluster) -> None:
    lost_row(pool, cluster, seconds=50)
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == []


def test_nobody_is_removed_while_agents_cannot_be_heard(pool: Pool, cluster: Cluster) -> None:
    Beat.objects.all().delete()
    lost_row(pool, cluster)
    look(pool.k8s_config)
    assert cluster.called("delete_pod") == []


def test_one_whose_agent_is_connected_gets_a_row_and_a_token_again(pool: Pool, cluster: Cluster) -> None:
    Pool.objects.filter(pk=pool.pk).update(min_replicas=1)
    name = lost_row(pool, cluster)
    tasks.agent(name, pool=pool, connected=True, pod_name=name, capacity=2)
    look(pool.k8s_config)
    pod = Pod.objects.get(name=name)
    assert (pod.phase, pod.slots, pod.uid) == (PodPhase.RUNNING, 2, cluster.pods[name].uid)
    assert PoolToken.objects.valid().filter(pod=pod).exists()
    look(pool.k8s_config)
    assert Pod.objects.get(name=name).phase == PodPhase.RUNNING


def test_one_that_holds_a_lease_gets_a_row_again_although_its_agent_is_cut_off(pool: Pool, cluster: Cluster) -> None:
    name = lost_row(pool, cluster)
    agent = tasks.agent(name, pool=pool, connected=True, pod_name=name)
    tasks.planning(on=agent, workspace=tasks.workspace(execution_mode="k8s", pool=pool))
    Agent.objects.update(session="")
    look(pool.k8s_config)
    assert (Pod.objects.get().phase, cluster.called("delete_pod")) == (PodPhase.RUNNING, [])


def test_one_that_was_given_up_for_gone_gets_its_own_row_again(pool: Pool, cluster: Cluster) -> None:
    row = pods.pod(pool, phase=PodPhase.GONE, gone_at=clock.now(), cause="It was gone.")
    cluster.put(row.name, labels=labels(row), phase="Running")
    tasks.agent(row.name, pool=pool, connected=True, pod_name=row.name)
    look(pool.k8s_config)
    row.refresh_from_db()
    assert (row.phase, row.gone_at, row.cause) == (PodPhase.RUNNING, None, "")


def test_one_that_was_made_when_we_had_given_up_waiting_is_removed(pool: Pool, cluster: Cluster) -> None:
    """A call that timed out may be carried out later."""
    row = pods.pod(pool, phase=PodPhase.GONE, gone_at=clock.now())
    cluster.put(row.name, labels=labels(row), created_at=clock.now() - timedelta(seconds=61))
    look(pool.k8s_config)
    assert cluster.pods == {}


@pytest.mark.parametrize(
    ("name", "worn"),
    [
        ("iac-other-aaaaaaaa", {MANAGED_BY: PLATFORM, POOL: "pool-of-another-platform", ROW: "1"}),
        ("iac-no-aaaaaaaa", {MANAGED_BY: PLATFORM}),
        ("web-1", {"app": "web"}),
    ],
)
def test_what_is_not_ours_is_never_touched(pool: Pool, cluster: Cluster, name: str, worn: dict[str, str]) -> None:
    foreign = cluster.put(name, labels=worn, created_at=clock.now() - timedelta(days=1), phase="Failed")
    look(pool.k8s_config)
    assert cluster.pods == {name: foreign}
    assert [call for call, _ in cluster.calls] == ["pods"]


def test_a_name_that_is_not_one_of_ours_is_left_alone_whatever_its_labels(pool: Pool, cluster: Cluster) -> None:
    worn = {MANAGED_BY: PLATFORM, POOL: pool.pk, ROW: "1"}
    cluster.put("somebodys", labels=worn, created_at=clock.now() - timedelta(days=1))
    look(pool.k8s_config)
    assert list(cluster.pods) == ["somebodys"]


def test_one_that_was_adopted_keeps_its_row_its_token_and_its_pins(pool: Pool, cluster: Cluster) -> None:
    name = lost_row(pool, cluster)
    agent = tasks.agent(name, pool=pool, connected=True, pod_name=name)
    tasks.planning(on=agent, workspace=tasks.workspace(execution_mode="k8s", pool=pool))
    cluster.change(name, annotations=dict(PINNED))
    look(pool.k8s_config)
    given = PoolToken.objects.get().pk
    for _ in range(2):
        look(pool.k8s_config)
    assert (Pod.objects.get().phase, PoolToken.objects.get().pk) == (PodPhase.RUNNING, given)
    assert cluster.called("annotate") == []
