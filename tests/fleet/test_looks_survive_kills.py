"""kill -9 of the worker between every pair of steps: the next look finds what was done, and goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from pools.models import Pod, PodPhase, Pool, PoolToken
from tests.emptying import empty
from tests.fleet import pods
from tests.fleet.clusters import Cluster, KilledHere, cluster, look
from tests.tasks import factories as tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

__all__ = ["cluster"]

WRITES = ("INSERT", "UPDATE", "DELETE")
MOST_STEPS = 200


class Death:
    """Comes just before the `nth` step: a call to the cluster, its answer, or a statement that writes."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def step(self, *args: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise KilledHere

    def on_statement(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.lstrip().startswith(WRITES):
            self.step()
        return execute(sql, *rest)


@contextmanager
def dying(cluster: Cluster, nth: int) -> Iterator[None]:
    """Let the process die at its nth step."""
    death = Death(nth)
    cluster.fault = cluster.after = death.step
    with connection.execute_wrapper(death.on_statement):
        try:
            yield
        finally:
            cluster.heal()


def every_death(cluster: Cluster, scene: Callable[[], Pool], during: Callable[[Pool], object]) -> Iterator[Pool]:
    """Yield the pool of a new scene after a death at the first step, at the second, and so on to the last."""
    for nth in range(1, MOST_STEPS):
        empty()
        cluster.pods.clear()
        cluster.secrets.clear()
        pool = scene()
        try:
            with dying(cluster, nth):
                during(pool)
        except KilledHere:
            yield pool
        else:
            assert nth > 5, "hardly anything was done"
            return
    pytest.fail("it never ends")


def settle(pool: Pool) -> None:
    """Look until there is nothing to do."""
    for _ in range(3):
        look(pool.k8s_config)


def test_a_pod_is_made_once_whenever_its_maker_dies(cluster: Cluster) -> None:
    deaths = 0
    for pool in every_death(cluster, lambda: pods.pool(min_replicas=1), lambda pool: look(pool.k8s_config)):
        settle(pool)
        pod = Pod.objects.get()
        assert (pod.phase, list(cluster.pods)) == (PodPhase.STARTING, [pod.name]), deaths
        token = cluster.token_of(pod)
        assert (pod.equipped_at is not None, token and token.pod) == (True, pod), deaths
        deaths += 1
    assert deaths > 10


def idle() -> Pool:
    """Return a pool whose one pod is not needed, and idle for long."""
    pool = pods.pool(min_replicas=1, idle_seconds=0)
    look(pool.k8s_config)
    made = Pod.objects.get()
    Pod.objects.update(phase=PodPhase.RUNNING, connected_at=made.created_at)
    tasks.agent(made.name, pool=pool, connected=True, pod_name=made.name, capacity=1)
    Pool.objects.filter(pk=pool.pk).update(min_replicas=0, max_replicas=0)
    return pool


def remove(pool: Pool) -> None:
    """Look until the pod is gone."""
    look(pool.k8s_config)
    look(pool.k8s_config)


def test_a_pod_is_removed_whenever_its_remover_dies(cluster: Cluster) -> None:
    deaths = 0
    for pool in every_death(cluster, idle, remove):
        settle(pool)
        assert (Pod.objects.get().phase, cluster.pods, cluster.secrets) == (PodPhase.GONE, {}, {}), deaths
        assert not PoolToken.objects.exists()
        deaths += 1
    assert deaths > 10


def test_a_failed_pod_is_replaced_once_whenever_its_remover_dies(cluster: Cluster) -> None:
    def failed() -> Pool:
        pool = pods.pool(min_replicas=1)
        look(pool.k8s_config)
        cluster.change(Pod.objects.get().name, phase="Failed", ended_reason="OOMKilled", exit_code=137)
        return pool

    for pool in every_death(cluster, failed, remove):
        in_time(pool)
        in_time(pool)
        gone = Pod.objects.get(phase=PodPhase.GONE)
        assert "OOMKilled" in gone.cause
        living = Pod.objects.exclude(pk=gone.pk).get()
        assert (living.phase, list(cluster.pods)) == (PodPhase.STARTING, [living.name])


def in_time(pool: Pool) -> None:
    """Look twice, and again when the pause after a failure is over."""
    remove(pool)
    pods.later(21)
    look(pool.k8s_config)
