"""The pod of a pool as it lives: made by a look, served by an agent, seen again when time has passed."""

from datetime import timedelta

import pytest

from iacplatform.base import clock
from iacplatform.base.models import Beat
from pools.models import Pod, PodPhase, Pool
from tests.fleet import pods
from tests.fleet.clusters import Cluster, look
from tests.tasks import factories as tasks


@pytest.fixture
def pool() -> Pool:
    """A pool that should have one pod."""
    return pods.pool(min_replicas=1)


@pytest.fixture
def agents_could_be_heard() -> None:
    """The platform has run for an hour without a break."""
    Beat.objects.create(name="web:1", unbroken_since=clock.now() - timedelta(hours=1))


def started(pool: Pool) -> Pod:
    """Return the pool's pod, which was just made."""
    look(pool.k8s_config)
    return Pod.objects.exclude(phase=PodPhase.GONE).get()


def served(pool: Pool, cluster: Cluster, seconds: float = 120) -> Pod:
    """Return the pool's pod, whose agent connected so long ago."""
    pod = started(pool)
    Pod.objects.update(phase=PodPhase.RUNNING, connected_at=clock.now() - timedelta(seconds=seconds))
    tasks.agent(pod.name, pool=pool, connected=True, pod_name=pod.name, capacity=1)
    cluster.change(pod.name, phase="Running", ready=True)
    return again(pod)


def again(pod: Pod) -> Pod:
    """Return the pod as its row is now."""
    return Pod.objects.get(pk=pod.pk)


def later(seconds: float) -> None:
    """Let time pass; the platform and the agents go on being heard."""
    pods.later(seconds)
    Beat.objects.strike("web:1")
    Beat.objects.update(unbroken_since=clock.now() - timedelta(hours=1))
