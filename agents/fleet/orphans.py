"""Pods of ours that no row knows: after a database was restored, or when a call was carried out long after we gave up.

Only those of a pool that has this very cluster are ours. One whose agent is connected, or holds a lease, gets a row
again; any other one is removed. What belongs to somebody else, another installation of the platform included, is left
alone.
"""

import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from agents.fleet import members
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import Beat
from pools.models import Pod, PodPhase, Pool, PoolToken
from pools.models.pod import OURS
from pools.sightings import SeenPod

PATIENCE_SECONDS = 60
"""An agent has so long to come back before its pod is taken to be nobody's."""

log = logging.getLogger(__name__)


def among(strangers: Iterable[SeenPod], pools: Collection[Pool]) -> list[SeenPod]:
    """Return those pods without a row that are ours to deal with."""
    ours = {pool.pk for pool in pools}
    return [seen for seen in strangers if seen.is_ours and seen.pool_id in ours and seen.name.startswith(OURS)]


def adopt(orphans: Iterable[SeenPod]) -> list[SeenPod]:
    """Give a row to those whose agents are at work, or connected; return the others."""
    unknown = list(orphans)
    if not unknown:
        return []
    names = [seen.name for seen in unknown]
    agents = {agent.pod_name: agent for agent in Agent.objects.with_presence().filter(pod_name__in=names)}
    busy = members.busy(names)
    wanted = {name for name, agent in agents.items() if agent.is_connected or name in busy}
    return [seen for seen in unknown if not (seen.name in wanted and _adopted(seen, agents[seen.name]))]


def _adopted(seen: SeenPod, agent: Agent) -> bool:
    """Give the pod a row, or its own again; False where another pod has it."""
    connected_at = agent.connected_at or clock.now()
    columns = {"uid": seen.uid, "phase": PodPhase.RUNNING, "equipped_at": connected_at, "connected_at": connected_at}
    of_new = {"pool_id": seen.pool_id, "slots": agent.capacity}
    with transaction.atomic():
        pod, is_new = Pod.objects.get_or_create(name=seen.name, defaults={**of_new, **columns})
        if not is_new and not _is_its_own(pod, seen):
            return False
        Pod.objects.filter(pk=pod.pk).update(gone_at=None, cause="", **columns)
        PoolToken.give(Pod.objects.get(pk=pod.pk))
    log.warning("A pod without a row was adopted.", extra={"pod": seen.name, "pool": agent.pool_id})
    return True


def _is_its_own(pod: Pod, seen: SeenPod) -> bool:
    return pod.phase == PodPhase.GONE and pod.pool_id == seen.pool_id


def lost(orphans: Iterable[SeenPod], now: datetime) -> list[SeenPod]:
    """Return those to be deleted: whoever is behind them had the time to come back, and did not."""
    long_ago = now - timedelta(seconds=PATIENCE_SECONDS)
    old = [seen for seen in orphans if not seen.deleting and seen.created_at < long_ago]
    could_hear = bool(old) and Beat.objects.received_for(timedelta(seconds=settings.AGENT_LEASE_SECONDS))
    return old if could_hear else []
