"""What is done in a cluster during a look, in order of urgency, and until the time of the look is over."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from agents.fleet import leases, members, pods, scaling, troubles
from agents.fleet.observations import Sight
from pools.errors import ClusterError, Throttled, TimeUp, Unreachable
from pools.kube import Cluster
from pools.models import K8sConfig, PodPhase, Pool, PoolStatus
from pools.sightings import SeenPod

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something to be done in a cluster. `makes`: it is a step towards a new pod of the pool."""

    pool_id: str
    act: Callable[[], object]
    makes: bool = False


def makings(pools: list[Pool], sights: list[Sight], cluster: Cluster, now: datetime) -> Iterator[Deed]:
    """Yield the steps towards new pods, first: tasks wait for them."""
    statuses = PoolStatus.objects.in_bulk([pool.pk for pool in pools])
    for pool in pools:
        ours = [sight for sight in sights if sight.pod.pool_id == pool.pk]
        most = troubles.may_create(statuses.get(pool.pk), [sight.pod for sight in ours], now)
        bare = [sight.pod for sight in ours if pods.needs_token(sight) and most != 0]
        wanted = [sight.pod for sight in ours if sight.pod.phase == PodPhase.INTENDED][:most][: _room(pool, ours, now)]
        for act, rows in ((pods.equip, bare), (pods.create, wanted)):
            for pod in rows:
                yield Deed(pool_id=pool.pk, act=partial(act, pod, cluster), makes=True)


def _room(pool: Pool, ours: list[Sight], now: datetime) -> int:
    """Return how many more pods the pool may have in the cluster: rows may be older than its limits are."""
    limits = scaling.limits_of(pool, now)
    there = sum(sight.is_staying and sight.pod.phase != PodPhase.INTENDED for sight in ours)
    return max(0, (0 if limits.is_frozen else limits.maximum) - there)


def removals(sights: list[Sight], strangers: list[SeenPod], cluster: Cluster) -> Iterator[Deed]:
    """Yield the ends of pods that nothing holds a slot of, and of those that nobody knows."""
    leaving = [sight for sight in sights if pods.is_leaving(sight)]
    names = [sight.pod.name for sight in leaving]
    held, unsettled = (members.held(names), members.unsettled(names)) if names else (set(), set())
    for sight in leaving:
        if sight.seen is not None and pods.is_to_be_deleted(sight, held, unsettled):
            yield Deed(pool_id=sight.pod.pool_id, act=partial(pods.delete, sight, sight.seen, cluster))
    for seen in strangers:
        yield Deed(pool_id=seen.pool_id, act=partial(pods.delete_stranger, seen, cluster))


def pins(config: K8sConfig, sights: list[Sight], cluster: Cluster) -> Iterator[Deed]:
    """Yield what is to be written on pods that began or ended to hold leases."""
    for sight in sights:
        if change := leases.pins(sight, config):
            yield Deed(pool_id=sight.pod.pool_id, act=partial(leases.pin, sight, change, cluster))


def do(pools: list[Pool], wanted: Iterator[Deed], until: float) -> bool:
    """Do what can be done in time; return whether something is left. Raises `Unreachable`, `Throttled`."""
    try:
        return _do(pools, wanted, until)
    except TimeUp:  # in the middle of a deed: the cluster is slow, and did answer
        return True


def _do(pools: list[Pool], wanted: Iterator[Deed], until: float) -> bool:
    refused: set[str] = set()
    for deed in wanted:
        if time.monotonic() > until:
            return True
        if not (deed.makes and deed.pool_id in refused) and not _is_done(deed):
            refused.add(deed.pool_id)
    troubles.nothing_refused({pool.pk for pool in pools} - refused)
    return False


def _is_done(deed: Deed) -> bool:
    """Do it; return whether the cluster did. One pool's trouble holds up no other, nor the removal of its own pods."""
    try:
        deed.act()
    except (Throttled, Unreachable):
        raise
    except ClusterError as error:
        log.warning("A cluster refused something.", extra={"pool": deed.pool_id, "words": error.words})
        tell = troubles.creation_failed if deed.makes else troubles.refused
        tell(deed.pool_id, error)
        return False
    if deed.makes:
        troubles.pod_made(deed.pool_id)
    return True
