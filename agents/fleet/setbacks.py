"""What was written before the database's clock was set back, as by a failover: moments that are still to come.

Who waits for one of them would wait until the clock catches up: no look, no call, no pod for an hour, and a pod whose
agent never connects would be awaited for so long. What is such a moment is taken for now.
"""

import logging

from django.db.models import F, Q
from django.db.models.functions import Least

from agents.fleet.members import AHEAD_SECONDS
from agents.fleet.observations import CONNECT_SECONDS, IDLE_END_SECONDS, START_SECONDS
from agents.fleet.troubles import PROBE_SECONDS
from iacplatform.base import clock
from pools.budgets import LONGEST_WAIT_SECONDS
from pools.models import STAYING, ClusterStatus, Pod, PoolStatus
from pools.pod_specs import GRACE_SECONDS

log = logging.getLogger(__name__)

_SOON = clock.In(seconds=AHEAD_SECONDS)
_REST = clock.In(seconds=LONGEST_WAIT_SECONDS + AHEAD_SECONDS)
_PROBE = clock.In(seconds=PROBE_SECONDS + AHEAD_SECONDS)
_SIGN = Q(began_at__gt=_SOON) | Q(asked_at__gt=_SOON) | Q(refilled_at__gt=_SOON) | Q(not_before__gt=_REST)


def forget() -> None:
    """Forget such moments of all clusters, pools and pods: one query where there is none."""
    if not ClusterStatus.objects.filter(_SIGN).exists():
        return
    log.warning("The database's clock was set back: clusters are looked at as if for the first time.")
    _forget_of_clusters()
    _forget_of_pools()
    _forget_of_pods()


def _forget_of_clusters() -> None:
    clusters = ClusterStatus.objects
    clusters.filter(began_at__gt=_SOON).update(began_at=None)
    clusters.filter(asked_at__gt=_SOON).update(asked_at=None)
    clusters.filter(refilled_at__gt=_SOON).update(refilled_at=clock.DatabaseNow())
    clusters.filter(not_before__gt=_REST).update(not_before=None)
    clusters.filter(held_until__gt=_REST).update(held_until=None)


def _forget_of_pools() -> None:
    pools = PoolStatus.objects
    pools.filter(retry_at__gt=_PROBE).update(retry_at=None)
    pools.filter(surplus_since__gt=_SOON).update(surplus_since=None)
    pools.filter(condition_since__gt=_SOON).update(condition_since=clock.DatabaseNow())


def _forget_of_pods() -> None:
    pods = Pod.objects.live()
    for column in ("created_at", "started_at", "connected_at", "last_busy_at", "trouble_since"):
        pods.filter(**{f"{column}__gt": _SOON}).update(**{column: clock.DatabaseNow()})
    staying = pods.filter(phase__in=STAYING)
    for those, seconds in (
        (staying.exclude(started_at=None), CONNECT_SECONDS),
        (staying.filter(started_at=None), START_SECONDS),
        (pods.exclude(phase__in=STAYING), GRACE_SECONDS + IDLE_END_SECONDS),
    ):
        those.filter(deadline__isnull=False).update(deadline=Least(F("deadline"), clock.In(seconds=seconds)))
