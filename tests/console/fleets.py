"""Pools of pods as their pages meet them."""

import re
from datetime import datetime, timedelta
from typing import Any

from agents import dispatcher
from agents.models import Agent
from iacplatform.base import clock
from pools import freeze
from pools.models import ClusterStatus, Pod, PodPhase, Pool, PoolStatus, PoolType, ScalingDecision
from tasks.models import Task
from tests import factories as rows
from tests.console import pages
from tests.tasks import factories
from workspaces.models import Workspace

PULL = 'Back-off pulling image "registry.example.com/iac-agent:9"'


def pool(desired: int | None = 1, **columns: Any) -> Pool:
    """Return a pool whose cluster was looked at just now, and that should have so many pods."""
    config = columns.pop("k8s_config", None) or rows.k8s_config()
    known = {"name": "edge", "k8s_config": config, "min_replicas": 0, "max_replicas": 5, "slots_per_pod": 2}
    made = rows.pool(**{"pool_type": PoolType.K8S, **known, **columns})
    now = clock.now()
    # In tests that commit, whoever heard of the new pool has made these rows already.
    PoolStatus.objects.update_or_create(pool=made, defaults={"desired": desired})
    ClusterStatus.objects.update_or_create(config=config, defaults={"began_at": now, "looked_at": now})
    return made


def pod(of: Pool, name: str = "iac-edge-1", phase: PodPhase = PodPhase.RUNNING, **columns: Any) -> Pod:
    """Return a pod of the pool."""
    return Pod.objects.create(pool=of, name=name, phase=phase, slots=of.slots_per_pod, **columns)


def agent(inside: Pod, **columns: Any) -> Agent:
    """Return the agent of the pod, connected unless said otherwise."""
    known = {"connected": True, "capacity": inside.slots, "pod_name": inside.name}
    return factories.agent(inside.name, pool=inside.pool, **{**known, **columns})


def workspace(on: Pool) -> Workspace:
    """Return a workspace whose tasks run on the pool."""
    return factories.workspace(execution_mode="k8s", pool=on)


def condition(of: Pool, code: str, words: str = "", count: int = 1) -> None:
    """Let the pool have a condition for four minutes."""
    since = clock.now() - timedelta(minutes=4)
    told = {"condition_code": code, "condition_message": words, "condition_since": since, "condition_count": count}
    PoolStatus.objects.filter(pool=of).update(**told)


def waiting(on: Pool) -> Task:
    """Return a task for which there is no slot, and that says why."""
    task = factories.pending(workspace=workspace(on))
    dispatcher.dispatch(on.pk, cause="test")
    return factories.reread(task)


def decision(of: Pool, **numbers: Any) -> ScalingDecision:
    """Return a decision for one pod, because a task needs a slot."""
    known = {"pinned": 0, "free": 0, "queued": 1, "live": 0, "wanted": 1, "desired": 1}
    return ScalingDecision.objects.create(pool=of, **{**known, **numbers})


def open_window(of: Pool) -> datetime:
    """Open a freeze window that lasts another hour; return its end."""
    now = clock.now().replace(second=0, microsecond=0)
    start, end = ((now + timedelta(hours=hours)).strftime("%H:%M") for hours in (-1, 1))
    of.freeze_windows = [{"days": list(freeze.DAYS), "start": start, "end": end, "timezone": "UTC"}]
    of.save()
    return now + timedelta(hours=1)


def read(answer: pages.Answer) -> str:
    """Return what a person reads on the page; a stop follows its word, whatever element the word stands in."""
    return re.sub(r" (?=[.,;])", "", pages.text(answer))
