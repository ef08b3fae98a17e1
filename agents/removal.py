"""Deleting a pool: after the workspaces that name it, its connected agents and its pods."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from agents.models.agent import Agent, Agents
from iacplatform.base.problems import InUse
from pools.models import Pod, PodPhase, Pool
from tasks.models import Task
from tasks.states import Lease


def remove(pool: Pool) -> None:
    """Delete the pool with the rows of agents and pods that are gone, or raise `InUse`."""
    with transaction.atomic():
        Pool.objects.select_for_update().get(pk=pool.pk)
        if fault := obstacle(pool):
            raise InUse(fault)
        Agent.objects.filter(pool=pool).delete()
        Pod.objects.filter(pool=pool).delete()
        pool.delete()


def obstacle(pool: Pool) -> str:
    """Return why the pool cannot go yet and what to do about it; empty: it can."""
    agents: Agents = Agent.objects.filter(pool=pool)
    if pool.is_local:
        return "Pool local is the built-in agents' own and cannot be deleted."
    if names := _first(Pod.objects.filter(pool=pool).exclude(phase=PodPhase.GONE)):
        return f"Pool {pool.name} has pods ({names}): set its minimum and maximum to 0 and wait until they are gone."
    if names := _first(agents.connected()):
        return f"Agents are connected to pool {pool.name} ({names}): stop them, or revoke the pool's tokens."
    if Task.objects.exclude(lease=Lease.NONE).filter(agent_id__in=agents.values("pk")).exists():
        return f"Tasks hold slots of pool {pool.name}: wait for their end, or cancel them."
    if names := _first(pool.workspaces.all()):
        return f"Workspaces name pool {pool.name} ({names}): move them to another pool first."
    return ""


def _first(rows: QuerySet[Any]) -> str:
    return ", ".join(str(row) for row in rows[:3])
