"""What the fleet does about news: clusters are looked at at once, and whoever mends a pool or a cluster waits for
nothing."""

from typing import Any

from django.db.models.signals import post_save

from agents import signals
from agents.fleet import jobs, troubles
from iacplatform.base import commits
from pools.models import K8sConfig, Pool
from tasks import dispatching
from tasks.models import Task
from tasks.signals import task_moved


def connect() -> None:
    """Connect every receiver of the fleet."""
    signals.demand_changed.connect(_after_demand, dispatch_uid="agents.fleet")
    task_moved.connect(_after_move, dispatch_uid="agents.fleet")
    post_save.connect(_after_pool, sender=Pool, dispatch_uid="agents.fleet")
    post_save.connect(_after_config, sender=K8sConfig, dispatch_uid="agents.fleet")


def _after_demand(pool_id: str, **news: Any) -> None:
    jobs.ask({pool_id})


def _after_move(task_id: int, event: str, **news: Any) -> None:
    """A person who presses retry has seen to what kept the pool from its pods."""
    if event == dispatching.ASKED:
        _try_again({pool_id for pool_id in Task.objects.filter(pk=task_id).pool_ids() if pool_id})


def _after_pool(instance: Pool, **news: Any) -> None:
    if instance.k8s_config_id is not None:
        _try_again({instance.pk})


def _after_config(instance: K8sConfig, **news: Any) -> None:
    _try_again(set(instance.pools.values_list("pk", flat=True)))


def _try_again(pool_ids: set[str]) -> None:
    """What was changed may be the remedy: no back-off is waited for."""
    commits.afterwards(troubles.forgive, pool_ids)
    jobs.ask(pool_ids)
