"""Pools at a glance: their agents, the slots of these, and how many tasks want one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, OuterRef, Subquery

from agents.models import Agent
from iacplatform.console import slots
from iacplatform.console.slots import Slot
from pools.models import Pool
from tasks.models import Task
from tasks.models.querysets import Tasks

MOST_AGENTS = 200


@dataclass(kw_only=True)
class Glance:
    """A pool, its connected agents (the first of them), and the number of tasks that wait for a slot of it."""

    pool: Pool
    waiting: int
    agents: list[Agent] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)


def glances(pools: Iterable[Pool], user: Any) -> list[Glance]:
    """Return what to show of each pool: three queries, however many pools."""
    wanted = _waiting(user)
    found = {pool.pk: Glance(pool=pool, waiting=wanted.get(pool.pk, 0)) for pool in pools}
    agents = list(Agent.objects.visible_to(user).connected().filter(pool_id__in=found)[:MOST_AGENTS])
    held = slots.by_agent(agents)
    for agent in agents:
        found[agent.pool_id].agents.append(agent)
        found[agent.pool_id].slots.extend(held[agent.pk])
    return list(found.values())


@dataclass(frozen=True, kw_only=True)
class Berth:
    """An agent with its slots. An agent that is away has no free ones; what it still holds is shown."""

    agent: Agent
    is_connected: bool
    slots: list[Slot]


def roster(agents: Iterable[Agent]) -> list[Berth]:
    """Return the agents with their slots: two queries, however many agents."""
    known = list(agents)
    connected = set(Agent.objects.connected().filter(pk__in=[agent.pk for agent in known]).values_list("pk", flat=True))
    held = slots.by_agent(known)
    return [_berth(agent, agent.pk in connected, held[agent.pk]) for agent in known]


def _berth(agent: Agent, is_connected: bool, of_it: list[Slot]) -> Berth:
    return Berth(agent=agent, is_connected=is_connected, slots=[slot for slot in of_it if is_connected or slot.task])


def naming_agents(tasks: Tasks) -> Tasks:
    """Add `agent_name`: of the agent whose slot the task holds or held; null where that agent is gone."""
    return tasks.annotate(agent_name=Subquery(Agent.objects.filter(pk=OuterRef("agent_id")).values("name")[:1]))


def waiting(pool: Pool, user: Any) -> int:
    """Return how many tasks want a slot of the pool."""
    return int(Task.objects.visible_to(user).runnable().for_pool(pool.pk).count())


def _waiting(user: Any) -> dict[str, int]:
    wanted: Any = Task.objects.visible_to(user).runnable().with_pool()
    rows = wanted.order_by().values("pool_now")
    return {row["pool_now"]: row["tasks"] for row in rows.annotate(tasks=Count("pk"))}
