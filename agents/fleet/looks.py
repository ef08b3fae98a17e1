"""A look at a cluster: what is there is listed, written down, scaled, and then acted upon, within bounds.

Looks at one cluster follow one another (an advisory lock, held by this connection); nobody waits for a turn. A list
that fails, or is not whole, changes nothing: no pod is made, removed, or taken to be gone because of it. A look may be
killed at any point: the next one finds what was done, and goes on. A cluster that failed last time is looked at by one
worker at most, whichever cluster it is: however many hang, the other workers have the others.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.models import F, Q

from agents.fleet import leases, members, observations, orphans, pods, scaling, troubles
from agents.fleet.observations import Sight
from iacplatform.base import alone, clock
from pools import kube
from pools.errors import ClusterError, Throttled, Unreachable
from pools.models import ClusterStatus, K8sConfig, PodPhase, Pool, PoolStatus
from pools.sightings import SeenPod

LOOK_SECONDS = 30
"""After this a look begins nothing more: with the call that it is in, it ends well before the job's time-out."""

TROUBLED = "troubled clusters"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something to be done in a cluster. `makes`: it is a step towards a new pod of the pool."""

    pool_id: str
    act: Callable[[], object]
    makes: bool = False


def look(config_id: int) -> bool:
    """Look at the cluster unless somebody does already; return whether another look should follow at once."""
    with alone.trying(f"cluster:{config_id}") as is_ours:
        status = _status(config_id) if is_ours else None
        if status is None or not status.failures:
            return status is not None and _look(status)
        with alone.trying(TROUBLED) as is_ours_too:
            return is_ours_too and _look(status)


def _status(config_id: int) -> ClusterStatus | None:
    """Return what is known of the cluster, with its config; None where that was deleted."""
    known = ClusterStatus.objects.select_related("config").filter(config_id=config_id)
    if (status := known.first()) is None and K8sConfig.objects.filter(pk=config_id).exists():
        ClusterStatus.objects.bulk_create([ClusterStatus(config_id=config_id)], ignore_conflicts=True)
        return known.first()
    return status


def _look(status: ClusterStatus) -> bool:
    config, until = status.config, time.monotonic() + LOOK_SECONDS
    if not _begin(config):
        return False
    try:
        with kube.Cluster(config) as cluster:
            is_unfinished = _see_and_act(status, cluster, until)
    except ClusterError as error:
        _rest(config, error)
        return False
    return is_unfinished or ClusterStatus.objects.filter(config=config, asked_at__gt=F("began_at")).exists()


def _begin(config: K8sConfig) -> bool:
    """Note that a look begins, unless the cluster is to be left alone."""
    unknown = config.pools.filter(status=None)
    PoolStatus.objects.bulk_create([PoolStatus(pool=pool) for pool in unknown], ignore_conflicts=True)
    rested = Q(not_before=None) | Q(not_before__lte=clock.DatabaseNow())
    return bool(ClusterStatus.objects.filter(rested, config=config).update(began_at=clock.DatabaseNow()))


def _rest(config: K8sConfig, error: ClusterError) -> None:
    if isinstance(error, Throttled) and error.status != 429:
        look_later(config)  # the budget is ours, and full again in seconds
        return
    log.warning("A look at a cluster failed.", extra={"config": config.name, "words": error.words})
    troubles.cluster_failed(config.pk, error)


def look_later(config: K8sConfig) -> None:
    """Have the sweep ask for the next look, when the budget of calls has filled up a little."""
    ClusterStatus.objects.filter(config=config).update(asked_at=clock.DatabaseNow())


def _see_and_act(status: ClusterStatus, cluster: kube.Cluster, until: float) -> bool:
    config = status.config
    pools = list(config.pools.select_related("status").exclude(status=None))
    # Before the list: what becomes known of a pod meanwhile is no reason to miss it there.
    known = _members(pools)
    listed = cluster.pods()
    if status.failures:
        troubles.cluster_answered(config.pk)
    strangers = _observe(config, pools, known, listed)
    scaling.scale(pools, clock.now())
    is_unfinished = _act(pools, _deeds(config, pools, listed, strangers, cluster), until)
    ClusterStatus.objects.filter(config=config).update(looked_at=clock.DatabaseNow())
    pods.forget_old()
    return is_unfinished


def _members(pools: list[Pool]) -> list[members.Member]:
    found = members.of([pool.pk for pool in pools], clock.now())
    return [member for each in found.values() for member in each]


def _observe(config: K8sConfig, pools: list[Pool], known: list[members.Member], listed: list[SeenPod]) -> list[SeenPod]:
    """Write down what is seen; return the pods of ours that no row knows, and that nobody needs."""
    sights, strangers = observations.match(known, listed)
    now = clock.now()
    for pool in pools:
        _observe_pool(pool, [sight for sight in sights if sight.pod.pool_id == pool.pk], now)
    unknown = orphans.adopt(orphans.among(strangers, pools))
    leases.lose(config, sights)
    return orphans.lost(unknown, now)


def _observe_pool(pool: Pool, sights: list[Sight], now: datetime) -> None:
    over = [sight.seen for sight in sights if sight.seen is not None and observations.is_false_start(sight)]
    for sight in sights:
        pods.note(sight)
    failing = [(sight, trouble) for sight in sights if (trouble := observations.failure(sight))]
    if failures := [*map(observations.ended, over), *pods.give_up(failing)]:
        troubles.pods_failed(pool.pk, failures)
    there = [sight.pod for sight in sights if sight.pod.phase != PodPhase.GONE]
    if there or pool.status.condition_code:
        troubles.review(PoolStatus.objects.get(pool=pool), there, now)


def _deeds(
    config: K8sConfig, pools: list[Pool], listed: list[SeenPod], strangers: list[SeenPod], cluster: kube.Cluster
) -> Iterator[Deed]:
    """Yield what is to be done, the most urgent first: what holds up tasks, then what frees room, then the rest."""
    sights, _ = observations.match(_members(pools), listed)
    yield from _makings(pools, sights, cluster)
    leaving = [sight for sight in sights if pods.is_leaving(sight)]
    busy = members.busy([sight.pod.name for sight in leaving]) if leaving else set()
    for sight in leaving:
        if sight.seen is not None and pods.is_to_be_deleted(sight, busy):
            yield Deed(pool_id=sight.pod.pool_id, act=partial(pods.delete, sight, sight.seen, cluster))
    for sight in sights:
        if change := leases.pins(sight, config):
            yield Deed(pool_id=sight.pod.pool_id, act=partial(leases.pin, sight, change, cluster))
    for seen in strangers:
        yield Deed(pool_id=seen.pool_id, act=partial(pods.delete_stranger, seen, cluster))


def _makings(pools: list[Pool], sights: list[Sight], cluster: kube.Cluster) -> Iterator[Deed]:
    statuses = PoolStatus.objects.in_bulk([pool.pk for pool in pools])
    for pool in pools:
        ours = [sight for sight in sights if sight.pod.pool_id == pool.pk]
        most = troubles.may_create(statuses.get(pool.pk), [sight.pod for sight in ours], clock.now())
        bare = [sight.pod for sight in ours if pods.needs_token(sight) and most != 0]
        wanted = [sight.pod for sight in ours if sight.pod.phase == PodPhase.INTENDED][:most]
        for act, rows in ((pods.equip, bare), (pods.create, wanted)):
            for pod in rows:
                yield Deed(pool_id=pool.pk, act=partial(act, pod, cluster), makes=True)


def _act(pools: list[Pool], deeds: Iterator[Deed], until: float) -> bool:
    """Do what can be done in time; return whether something is left. Raises `Unreachable`, `Throttled`."""
    refused: set[str] = set()
    for deed in deeds:
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
    return True
