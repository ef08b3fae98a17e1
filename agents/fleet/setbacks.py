"""What was written before the database's clock was set back, as by a failover: moments that are still to come.

Who waits for one of them would wait until the clock catches up: no look, no call, no pod for an hour.
"""

import logging

from django.db.models import Q

from agents.fleet.troubles import PROBE_SECONDS
from iacplatform.base import clock
from pools.budgets import LONGEST_WAIT_SECONDS
from pools.models import ClusterStatus, PoolStatus

SLACK_SECONDS = 5
"""Two of our processes may write at once; what one of them wrote is no more ahead of the other than this."""

log = logging.getLogger(__name__)

_SOON = clock.In(seconds=SLACK_SECONDS)
_REST = clock.In(seconds=LONGEST_WAIT_SECONDS + SLACK_SECONDS)
_PROBE = clock.In(seconds=PROBE_SECONDS + SLACK_SECONDS)
_SIGN = Q(began_at__gt=_SOON) | Q(asked_at__gt=_SOON) | Q(refilled_at__gt=_SOON) | Q(not_before__gt=_REST)


def forget() -> None:
    """Forget such moments of all clusters and pools: one query where there is none."""
    if not ClusterStatus.objects.filter(_SIGN).exists():
        return
    log.warning("The database's clock was set back: clusters are looked at as if for the first time.")
    clusters, pools = ClusterStatus.objects, PoolStatus.objects
    clusters.filter(began_at__gt=_SOON).update(began_at=None)
    clusters.filter(asked_at__gt=_SOON).update(asked_at=None)
    clusters.filter(refilled_at__gt=_SOON).update(refilled_at=clock.DatabaseNow())
    clusters.filter(not_before__gt=_REST).update(not_before=None)
    pools.filter(retry_at__gt=_PROBE).update(retry_at=None)
    pools.filter(surplus_since__gt=_SOON).update(surplus_since=None)
