"""When clusters are looked at: at once where somebody asks, every ten seconds besides, in jobs of django-q2.

One UPDATE decides who queues a look, so that many who ask at once get one look; whoever asks while one runs gets
another one after it. A job that is lost is made up for by the sweep.
"""

import logging
import time
from collections.abc import Collection

from django.db import transaction
from django.db.models import F, Q
from django_q.models import OrmQ
from django_q.tasks import async_task

from agents.fleet import looks, setbacks
from iacplatform.base import clock, commits
from pools.models import ClusterStatus, K8sConfig, Pool

LOOK = "agents.fleet.jobs.look_at"
EVERY_SECONDS = 10
LOST_SECONDS = 2
"""After so long a look that was asked for and has not begun is asked for again."""

APART_SECONDS = 0.5
"""Between the beginnings of two looks at a cluster that has few calls left, so that lists leave some for deeds."""
SPARE_CALLS = 10

MOST_QUEUED = 100
"""Nobody works a longer queue off: it would only grow."""

log = logging.getLogger(__name__)

_RESTED = Q(not_before=None) | Q(not_before__lte=clock.DatabaseNow())
_UNASKED = Q(asked_at=None) | Q(asked_at__lte=F("began_at"))
_LOST = Q(asked_at__lt=clock.In(seconds=-LOST_SECONDS))
_OLD = Q(began_at=None) | Q(began_at__lt=clock.In(seconds=-EVERY_SECONDS))


def ask(pool_ids: Collection[str | None]) -> None:
    """Have the clusters of these pools looked at within a second, after the current transaction's commit.

    Cheap where somebody has asked already. Pools without a cluster, and None, are passed over.
    """
    if named := {pool_id for pool_id in pool_ids if pool_id}:
        commits.afterwards(_ask, named)


def _ask(pool_ids: Collection[str]) -> None:
    configs = Pool.objects.filter(pk__in=pool_ids, k8s_config__isnull=False).order_by()
    for config_id in configs.values_list("k8s_config_id", flat=True).distinct():
        ClusterStatus.objects.bulk_create([ClusterStatus(config_id=config_id)], ignore_conflicts=True)
        _queue_one_of(_RESTED & _UNASKED, config_id)


def ask_where_due() -> None:
    """Have looked at whatever nobody has looked at lately, and where a look that was asked for was lost."""
    if OrmQ.objects.count() > MOST_QUEUED:
        log.warning("Clusters are not looked at: the queue of jobs is not worked off.")
        return
    setbacks.forget()
    known = K8sConfig.objects.filter(pools__isnull=False).distinct()
    missing = [ClusterStatus(config=config) for config in known.filter(status=None)]
    ClusterStatus.objects.bulk_create(missing, ignore_conflicts=True)
    due = _RESTED & (Q(asked_at__gt=F("began_at")) | _OLD) & (Q(asked_at=None) | _LOST)
    for config_id in ClusterStatus.objects.filter(due, config__in=known).values_list("pk", flat=True):
        _queue_one_of(due, config_id)


def look_at(config_id: int) -> None:
    """Look at the cluster where that is due, and have it looked at again where something is left."""
    if not _is_due(config_id):
        return
    if looks.look(config_id):
        _queue_one_of(_RESTED, config_id)


def _is_due(config_id: int) -> bool:
    """Return whether a look is asked for, or long ago; what others queued for the same reason has nothing to do."""
    status = ClusterStatus.objects.filter(_RESTED & (~_UNASKED | _OLD), pk=config_id)
    if not status.exists():
        return False
    if status.filter(calls_left__lt=SPARE_CALLS, began_at__gt=clock.In(seconds=-APART_SECONDS)).exists():
        time.sleep(APART_SECONDS)
        return status.exists()
    return True


def _queue_one_of(condition: Q, config_id: int) -> None:
    """Queue a look where the condition holds; of several who do so at once, one does."""
    with transaction.atomic():
        if ClusterStatus.objects.filter(condition, pk=config_id).update(asked_at=clock.DatabaseNow()):
            async_task(LOOK, config_id, group="fleet", save=False)
