"""What a pool's page shows of the pool's state, gathered once: for the page, and for what the page asks later."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agents import supply
from agents.models import Agent
from agents.slots import Slot
from agents.supply import Supply
from iacplatform.base import clock, rights
from iacplatform.console import fleet, headlines, pods, windows
from iacplatform.console.fleet import Berth
from iacplatform.console.headlines import Headline
from iacplatform.console.pods import Bay
from iacplatform.console.windows import Windows
from pools.models import ClusterStatus, Pod, PodPhase, Pool, PoolType, ScalingDecision

MOST = 100
"""Agents and pods on a pool's page."""
DECISIONS = 12
ENDED = 5
LATELY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Face:
    """The state of a pool. `version` changes when anything of it does, and once a minute, as it says how long ago.

    `roster`: its agents without those in the pods shown; `headline` and `cluster` are None of a static pool.
    """

    pool: Pool
    now: datetime
    waiting: int
    held_up: int
    headline: Headline | None
    cluster: ClusterStatus | None
    windows: Windows
    supply: Supply
    bays: list[Bay]
    ended: list[Pod]
    roster: list[Berth]
    decisions: list[ScalingDecision]
    version: str


def of(pool: Pool, user: Any) -> Face:
    """Return the pool's face for this person. `pool`: read with its config and the cluster's status."""
    now = clock.now()
    is_k8s = pool.pool_type == PoolType.K8S
    known = supply.look(pool, now) if is_k8s else Supply(pool=pool, now=now)
    agents = list(_agents(pool, user))
    shown = known.pods[:MOST] if rights.may(user, rights.name("view", Pod)) else []
    names = {pod.name for pod in shown}
    facts: dict[str, Any] = {
        **fleet.queue(pool, user),
        "headline": headlines.of(known, is_unwatched=known.is_unwatched) if is_k8s else None,
        "cluster": getattr(pool.k8s_config, "status", None),
        "windows": windows.of(pool, now),
        "bays": pods.bays(shown, agents),
        "ended": list(_ended(pool, user, now)) if is_k8s else [],
        "roster": fleet.roster([agent for agent in agents if agent.pod_name not in names]),
        "decisions": list(ScalingDecision.objects.visible_to(user).filter(pool=pool)[:DECISIONS]) if is_k8s else [],
    }
    return Face(pool=pool, now=now, supply=known, version=_version(facts, now), **facts)


def _agents(pool: Pool, user: Any) -> Any:
    rows = Agent.objects.visible_to(user).with_presence().filter(pool=pool)
    return rows.order_by("-last_seen_at")[: 2 * MOST]


def _ended(pool: Pool, user: Any, now: datetime) -> Any:
    """Return the pods that ended lately and say why."""
    gone = Pod.objects.visible_to(user).filter(pool=pool, phase=PodPhase.GONE, gone_at__gt=now - LATELY)
    return gone.exclude(cause="").order_by("-gone_at")[:ENDED]


def _version(facts: dict[str, Any], now: datetime) -> str:
    cluster = facts["cluster"]
    known = (
        [(bay.pod.pk, bay.doing, _held(bay.slots)) for bay in facts["bays"]],
        [(berth.agent.pk, berth.is_connected, _held(berth.slots)) for berth in facts["roster"]],
        [row.pk for row in (*facts["ended"], *facts["decisions"])],
        cluster and (cluster.failures, cluster.looked_at),
        *(facts[name] for name in ("waiting", "held_up", "headline", "windows")),
        f"{now:%H:%M}",
    )
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


def _held(slots: Iterable[Slot]) -> list[tuple[str, int | None]]:
    return [(slot.state, slot.task_id) for slot in slots]
