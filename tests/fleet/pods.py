"""Pods with and without agents, in the pools of a test."""

from datetime import timedelta
from typing import Any

from agents.fleet import scaling
from agents.models import Agent
from iacplatform.base import clock
from pools import pod_specs
from pools.models import Pod, PodPhase, Pool, PoolStatus
from tasks.models import Task
from tests import factories
from tests.agents import scenes
from tests.tasks import factories as tasks


def pool(**columns: Any) -> Pool:
    """Return a new pool of pods with one slot each, from none to five of them."""
    return factories.k8s_pool(**{"min_replicas": 0, "max_replicas": 5, **columns})


def pod(of: Pool, *, seconds: float = 0, **columns: Any) -> Pod:
    """Return a pod of the pool that the cluster has, made `seconds` ago from today's configuration."""
    assert of.k8s_config is not None
    made = {"slots": of.slots_per_pod, "config_hash": pod_specs.hash_of(of.k8s_config), "phase": PodPhase.STARTING}
    return Pod.objects.create(pool=of, name=scaling.new_name(of), created_at=_ago(seconds), **{**made, **columns})


def served(of: Pool, *, seconds: float = 0, **columns: Any) -> Pod:
    """Return a pod whose agent connected `seconds` ago and takes work."""
    known = {"phase": PodPhase.RUNNING, "connected_at": _ago(seconds), **columns}
    made = pod(of, seconds=seconds, **known)
    tasks.agent(made.name, pool=of, connected=True, pod_name=made.name, capacity=made.slots)
    return made


def agent(of: Pod) -> Agent:
    """Return the pod's agent."""
    return Agent.objects.get(pod_name=of.name)


def pending(on: Pool, **columns: Any) -> Task:
    """Return a task that needs a slot of the pool, and has found none."""
    return tasks.pending(workspace=scenes.workspace_of(on), **columns)


def scale(*pools: Pool) -> None:
    """Let the pools be scaled as they are now."""
    scaling.scale([Pool.objects.get(pk=each.pk) for each in pools], clock.now())


def phases(of: Pool) -> dict[str, str]:
    """Return the phases of the pool's pods by their names."""
    return dict(Pod.objects.filter(pool=of).values_list("name", "phase"))


def count(of: Pool, phase: str = "") -> int:
    """Return how many pods the pool has, in this phase where one is given."""
    return sum(not phase or found == phase for found in phases(of).values())


def status(of: Pool) -> PoolStatus:
    """Return what the last scaling left."""
    return PoolStatus.objects.get(pool=of)


def later(seconds: float) -> None:
    """Let time pass; agents go on being heard."""
    clock.shift(timedelta(seconds=seconds))
    Agent.objects.exclude(session="").update(lease_until=clock.In(seconds=45), last_seen_at=clock.DatabaseNow())


def _ago(seconds: float) -> Any:
    return clock.now() - timedelta(seconds=seconds)
