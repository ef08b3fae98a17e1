"""Pools at a glance: their agents, the slots of these, and how many tasks want one."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery

from agents import slots
from agents.models import Agent
from agents.slots import Slot
from agents.supply import Supply
from iacplatform.base import clock
from iacplatform.console import headlines
from iacplatform.console.headlines import Headline
from pools.conditions import Condition
from pools.models import Pod, Pool, PoolType
from tasks.models import Task
from tasks.models.querysets import Tasks

MOST_AGENTS = 200
MOST_POOLS = 50


@dataclass(kw_only=True)
class Glance:
    """A pool, its connected agents (the first of them), and the number of tasks that wait for a slot of it.

    `held_up`: how many of these say that the pool cannot have its pods. `headline`: how it stands; None: static.
    """

    pool: Pool
    waiting: int
    held_up: int
    headline: Headline | None = None
    agents: list[Agent] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)


def glances(pools: Iterable[Pool], user: Any) -> list[Glance]:
    """Return what to show of each pool (read with its status): four queries, however many pools."""
    wanted = _waiting(user)
    found = {pool.pk: _glance(pool, wanted.get(pool.pk, _NONE)) for pool in pools}
    agents = list(Agent.objects.visible_to(user).connected().filter(pool_id__in=found)[:MOST_AGENTS])
    held = slots.by_agent(agents)
    for agent in agents:
        found[agent.pool_id].agents.append(agent)
        found[agent.pool_id].slots.extend(held[agent.pk])
    for each in _supplies(glance.pool for glance in found.values()):
        found[each.pool.pk].headline = headlines.of(each)
    return list(found.values())


def _glance(pool: Pool, counted: dict[str, int]) -> Glance:
    return Glance(pool=pool, waiting=counted["waiting"], held_up=counted["held_up"])


def _supplies(pools: Iterable[Pool]) -> list[Supply]:
    """Return what is known of the pods of those that have some: one query for all of them."""
    now, growing = clock.now(), [pool for pool in pools if pool.pool_type == PoolType.K8S]
    pods: dict[str, list[Pod]] = defaultdict(list)
    for pod in Pod.objects.filter(pool__in=growing).live().order_by("created_at", "name"):
        pods[pod.pool_id].append(pod)
    return [Supply(pool=pool, now=now, pods=pods[pool.pk], status=getattr(pool, "status", None)) for pool in growing]


def held_up(user: Any) -> list[Glance]:
    """Return the pools whose condition holds tasks up, those first that hold up most."""
    hindered = Pool.objects.visible_to(user).exclude(status=None).exclude(status__condition_code="")
    pools = list(hindered.select_related("status")[:MOST_POOLS])
    found = [glance for glance in glances(pools, user) if glance.held_up] if pools else []
    return sorted(found, key=lambda glance: -glance.held_up)


@dataclass(frozen=True, kw_only=True)
class Berth:
    """An agent with its slots. An agent that is away has no free ones; what it still holds is shown."""

    agent: Agent
    is_connected: bool
    slots: list[Slot]


def roster(agents: Iterable[Agent]) -> list[Berth]:
    """Return the agents (read `with_presence`) with their slots: one query, however many agents."""
    known = list(agents)
    held = slots.by_agent(known)
    return [_berth(agent, agent.is_connected, held[agent.pk]) for agent in known]


def _berth(agent: Agent, is_connected: bool, of_it: list[Slot]) -> Berth:
    return Berth(agent=agent, is_connected=is_connected, slots=[slot for slot in of_it if is_connected or slot.task])


def naming_agents(tasks: Tasks) -> Tasks:
    """Add `agent_name`: of the agent whose slot the task holds or held; null where that agent is gone."""
    return tasks.annotate(agent_name=Subquery(Agent.objects.filter(pk=OuterRef("agent_id")).values("name")[:1]))


_COUNTS: dict[str, Any] = {"waiting": Count("pk"), "held_up": Count("pk", filter=Q(reason_code__in=list(Condition)))}
_NONE = dict.fromkeys(_COUNTS, 0)


def queue(pool: Pool, user: Any) -> dict[str, int]:
    """Return how many tasks want a slot of the pool (`waiting`), and how many of them its condition holds up."""
    counted: dict[str, int] = Task.objects.visible_to(user).runnable().for_pool(pool.pk).aggregate(**_COUNTS)
    return counted


def _waiting(user: Any) -> dict[str, dict[str, int]]:
    wanted: Any = Task.objects.visible_to(user).runnable().with_pool()
    rows = wanted.order_by().values("pool_now").annotate(**_COUNTS)
    return {row["pool_now"]: {name: row[name] for name in _COUNTS} for row in rows}
