"""A look at a cluster: what is there is listed, written down, scaled, and then acted upon, within bounds.

Looks at one cluster follow one another (an advisory lock, held by this connection); nobody waits for a turn. A list
that fails, or is not whole, changes nothing: no pod is made, removed, or taken to be gone because of it. A look may be
killed at any point: the next one finds what was done, and goes on. A cluster that failed last time is looked at by one
worker at most, whichever cluster it is: however many hang, the other workers have the others.
"""

import logging
import time
from dataclasses import replace
from datetime import datetime
from itertools import chain

from django.db import DatabaseError
from django.db.models import F, Q

from agents.fleet import deeds, draining, failures, leases, members, observations, orphans, pods, scaling, troubles
from agents.fleet.members import Member
from agents.fleet.observations import Sight
from iacplatform.base import alone, clock
from pools import kube
from pools.errors import ClusterError, Throttled
from pools.models import PLACE, ClusterStatus, K8sConfig, Pod, PodPhase, Pool, PoolStatus
from pools.sightings import SeenPod

TROUBLED = "troubled clusters"

log = logging.getLogger(__name__)


def look(config_id: int) -> bool:
    """Look at the cluster unless somebody does already; return whether another look should follow at once."""
    with alone.trying(f"cluster:{config_id}") as is_ours:
        status = _status(config_id) if is_ours else None
        if status is None or not _is_troubled(status):
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


def _is_troubled(status: ClusterStatus) -> bool:
    """Return whether the last look failed, or never got as far as an answer: perhaps it took its worker with it."""
    unanswered = status.began_at is not None and (status.looked_at is None or status.looked_at < status.began_at)
    return bool(status.failures) or unanswered


def _look(status: ClusterStatus) -> bool:
    config, until = status.config, time.monotonic() + kube.LOOK_SECONDS
    if not _begin(config):
        return False
    try:
        with kube.Cluster(config) as cluster:
            is_unfinished = _see_and_act(status, cluster, until)
    except DatabaseError:
        raise
    except Exception as error:
        _rest(config, error)
        return False
    return is_unfinished or ClusterStatus.objects.filter(config=config, asked_at__gt=F("began_at")).exists()


def _begin(config: K8sConfig) -> bool:
    """Note that a look begins, unless the cluster is to be left alone."""
    unknown = config.pools.filter(status=None)
    PoolStatus.objects.bulk_create([PoolStatus(pool=pool) for pool in unknown], ignore_conflicts=True)
    rested = Q(not_before=None) | Q(not_before__lte=clock.DatabaseNow())
    return bool(ClusterStatus.objects.filter(rested, config=config).update(began_at=clock.DatabaseNow()))


def _rest(config: K8sConfig, error: Exception) -> None:
    """Say why the look came to nothing, and let the cluster rest; a fault of ours leaves its pools no less a word."""
    if isinstance(error, Throttled) and error.status != 429:
        look_later(config)  # the budget is ours, and full again in seconds
        return
    if not isinstance(error, ClusterError):
        log.error("A look at a cluster broke off.", exc_info=error, extra={"config": config.name})
        error = ClusterError(f"The look at it broke off ({type(error).__name__}); the worker's log says more.")
    log.warning("A look at a cluster failed.", extra={"config": config.name, "words": error.words})
    troubles.cluster_failed(config.pk, error)


def look_later(config: K8sConfig) -> None:
    """Have the sweep ask for the next look, when the budget of calls has filled up a little."""
    ClusterStatus.objects.filter(config=config).update(asked_at=clock.DatabaseNow())


def _see_and_act(status: ClusterStatus, cluster: kube.Cluster, until: float) -> bool:
    config = status.config
    pools = _pools(config)
    # Before the list: what becomes known of a pod meanwhile is no reason to miss it there.
    known = _members(pools, clock.now())
    listed = cluster.pods()
    ClusterStatus.objects.filter(config=config).update(looked_at=clock.DatabaseNow())
    now = clock.now()
    sights, strangers = observations.match(known, listed)
    for pool in pools:
        _observe(pool, [sight for sight in sights if sight.pod.pool_id == pool.pk], cluster, now)
    lost = _tidy(config, pools, sights, strangers, now)
    scaling.scale(pools, now)
    if _have_left(pools, config):
        return True
    sights, _ = observations.match(_scaled(pools, known, now), listed)
    makings = deeds.makings(pools, sights, cluster, now)
    others = chain(deeds.removals(sights, lost, cluster), deeds.pins(config, sights, cluster))
    # What failed last time may fail again, as where an admission check hangs: it must not hold up the rest for ever.
    wanted = chain(others, makings) if status.failures % 2 else chain(makings, others)
    is_unfinished = deeds.do(pools, wanted, until)
    pods.forget_old()
    if status.failures:
        troubles.cluster_answered(config.pk)
    return is_unfinished or bool(status.failures)


def _have_left(pools: list[Pool], config: K8sConfig) -> bool:
    """Return whether the config leads elsewhere by now, or a pool has another one.

    Both may happen while there are no pods; the rows that this look has just made keep them where they are from now on.
    """
    here = K8sConfig.objects.filter(pk=config.pk, **{column: getattr(config, column) for column in PLACE})
    return Pool.objects.filter(pk__in=[pool.pk for pool in pools], k8s_config__in=here).count() < len(pools)


def _pools(config: K8sConfig) -> list[Pool]:
    return list(config.pools.select_related("status", "k8s_config").exclude(status=None))


def _members(pools: list[Pool], now: datetime) -> list[Member]:
    return [member for each in members.of([pool.pk for pool in pools], now).values() for member in each]


def _scaled(pools: list[Pool], known: list[Member], now: datetime) -> list[Member]:
    """Return the pods as their rows are now, with what was known of their leases a moment ago.

    Without those that were adopted in this look: of their leases nothing was known.
    """
    before = {member.pod.pk: member for member in known}
    by_id = {pool.pk: pool for pool in pools}
    rows = list(Pod.objects.live().filter(pool__in=by_id).order_by("created_at", "name"))
    for row in rows:
        row.pool = by_id[row.pool_id]
    new = [Member(pod=row, now=now) for row in rows if row.pk not in before and row.phase == PodPhase.INTENDED]
    return [*(replace(before[row.pk], pod=row) for row in rows if row.pk in before), *new]


def _observe(pool: Pool, sights: list[Sight], cluster: kube.Cluster, now: datetime) -> None:
    """Write down what is seen of the pool's pods, and give up those whose time is over."""
    over = [sight.seen for sight in sights if sight.seen is not None and observations.is_false_start(sight)]
    for sight in sights:
        pods.note(sight)
    failing = [(sight, trouble) for sight in sights if (trouble := failures.of(sight))]
    if failed := [*map(observations.ended, over), *pods.give_up(pods.explained(failing, cluster))]:
        troubles.pods_failed(pool.pk, failed)
        pool.status.refresh_from_db()
    there = [sight.pod for sight in sights if sight.pod.phase != PodPhase.GONE]
    troubles.review(pool.status, there, now)


def _tidy(
    config: K8sConfig, pools: list[Pool], sights: list[Sight], strangers: list[SeenPod], now: datetime
) -> list[SeenPod]:
    """Let go of what pods that leave or are gone hold; return the pods of ours that no row knows, and nobody needs."""
    draining.vacate(sight.member for sight in sights)
    leases.lose(config, sights)
    return orphans.lost(orphans.adopt(orphans.among(strangers, pools)), now)
