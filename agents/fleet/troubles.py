"""What keeps pools from their pods: the condition that each shows, how often it came in a row, and when to try again.

Only a look writes here, and looks at one cluster follow one another.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from agents.fleet.observations import Trouble
from iacplatform.base import clock
from pools.conditions import Condition
from pools.errors import ClusterError, Denied, QuotaExceeded
from pools.models import COMING, ENDING, ClusterStatus, Pod, PodPhase, PoolStatus

POD_SECONDS = (5, 10, 20, 40, 80)
"""Until the next pod, after so many in a row that came to nothing."""
PROBE_SECONDS = 300
"""Between the pods that are tried one at a time, after more in a row."""

REFUSED_SECONDS = (5, 10, 20, 40, 60)
"""Until the next try after so many refusals in a row, or failed looks: a remedy works within a minute."""

REFUSED = "The cluster takes no such pod: "
"""Begins what is said of a pod whose description the cluster, or one of its admission checks, does not take."""

WELL: dict[str, Any] = {"condition_code": "", "condition_message": "", "condition_since": None, "condition_count": 0}

_OF_CLUSTER = frozenset({Condition.CLUSTER_UNREACHABLE, Condition.CLUSTER_FORBIDDEN})
_OF_DEEDS = _OF_CLUSTER | {Condition.QUOTA_EXCEEDED}
"""Over when the cluster does what it is asked to, and not before: no pod that is seen says so."""


def may_create(status: PoolStatus | None, pods: Iterable[Pod], now: datetime) -> int | None:
    """Return how many pods of the pool may be made now; None: no such limit."""
    if status is None:
        return None
    if status.retry_at is not None and status.retry_at > now:
        return 0
    if status.condition_count < len(POD_SECONDS) or status.condition_code == Condition.CLUSTER_UNREACHABLE:
        return None
    return 0 if any(pod.phase == PodPhase.STARTING for pod in pods) else 1


def pods_failed(pool_id: str, failures: Sequence[Trouble]) -> None:
    """Count it once, however many pods failed in the same look: what failed together is tried again together."""
    count = _count(pool_id, failures[0]) + 1
    seconds = POD_SECONDS[count - 1] if count <= len(POD_SECONDS) else PROBE_SECONDS
    _show(pool_id, failures[0], count=count, retry_at=clock.In(seconds=seconds))


def creation_failed(pool_id: str, error: ClusterError) -> None:
    """The cluster did not take a pod, or a part of it."""
    count = _count(pool_id, trouble(error)) + 1
    _show(pool_id, trouble(error), count=count, retry_at=clock.In(seconds=_pause(count)))


def pod_made(pool_id: str) -> None:
    """The cluster made a pod: it answers, whatever it does with the next one."""
    PoolStatus.objects.filter(pk=pool_id, condition_code=Condition.CLUSTER_UNREACHABLE).update(**WELL)


def refused(pool_id: str, error: ClusterError) -> None:
    """The cluster did not do something else for the pool; only that we lack a right is for people to hear."""
    if isinstance(error, Denied):
        _show(pool_id, trouble(error), count=_count(pool_id, trouble(error)) + 1)


def nothing_refused(pool_ids: Collection[str]) -> None:
    """The cluster did all that these pools asked for: a quota, or a right that was missing, is there."""
    of_deeds = Q(condition_code__in=_OF_DEEDS) | Q(condition_message__startswith=REFUSED)
    refused = PoolStatus.objects.filter(of_deeds, pk__in=pool_ids)
    refused.exclude(retry_at__gt=clock.DatabaseNow()).update(**WELL, retry_at=None)


def cluster_failed(config_id: int, error: ClusterError) -> None:
    """A look came to nothing: say so on all pools of the cluster, and let it rest for longer each time."""
    status = ClusterStatus.objects.get(config_id=config_id)
    failures, wait = status.failures + 1, clock.In(seconds=_pause(status.failures + 1))
    ClusterStatus.objects.filter(pk=status.pk).update(failures=failures)
    # What the cluster itself asked for may be longer.
    ClusterStatus.objects.filter(pk=status.pk).exclude(not_before__gt=wait).update(not_before=wait)
    for pool_id in PoolStatus.objects.filter(pool__k8s_config=config_id).values_list("pk", flat=True):
        _show(pool_id, _of_cluster(error), count=failures, retry_at=None)


def cluster_answered(config_id: int) -> None:
    """A look was answered, and all that it asked for after the list as well: the cluster need not rest any more."""
    ClusterStatus.objects.filter(config_id=config_id).update(failures=0, not_before=F("held_until"))


def forgive(pool_ids: Collection[str]) -> None:
    """Wait no longer with the next try, except where a cluster asked for it: somebody changed what it depends on."""
    PoolStatus.objects.filter(pk__in=pool_ids, retry_at__isnull=False).update(retry_at=None)
    clusters = ClusterStatus.objects.filter(config__pools__in=pool_ids, failures__gt=0)
    ClusterStatus.objects.filter(pk__in=clusters.values("pk")).update(not_before=F("held_until"))


def review(status: PoolStatus, pods: Collection[Pod], now: datetime) -> None:
    """Let the condition follow what is seen of the pool's pods, which are all that are not gone."""
    if status.condition_code in _OF_DEEDS or status.condition_message.startswith(REFUSED):
        return
    has_succeeded = _has_succeeded(status, pods)
    trouble = _seen(pods, now)
    if trouble is not None:
        count = 0 if has_succeeded else status.condition_count
        if (status.condition_code, status.condition_message, status.condition_count) != (*_texts(trouble), count):
            _show(status.pool_id, trouble, count=count)
    elif status.condition_code and (has_succeeded or _is_over(status, pods, now)):
        PoolStatus.objects.filter(pk=status.pk).update(**WELL, retry_at=None)


def trouble(error: ClusterError) -> Trouble:
    """Return which condition it is that the cluster does not do something for a pool."""
    if isinstance(error, QuotaExceeded):
        return Trouble(code=Condition.QUOTA_EXCEEDED, words=error.words)
    if isinstance(error, Denied):
        return Trouble(code=Condition.CLUSTER_FORBIDDEN, words=error.words)
    return Trouble(code=Condition.POD_FAILED, words=f"{REFUSED}{error.words}")


def _of_cluster(error: ClusterError) -> Trouble:
    is_denied = isinstance(error, Denied)
    code = Condition.CLUSTER_FORBIDDEN if is_denied else Condition.CLUSTER_UNREACHABLE
    return Trouble(code=code, words=error.words)


def _pause(count: int) -> int:
    return REFUSED_SECONDS[min(count, len(REFUSED_SECONDS)) - 1]


def _count(pool_id: str, trouble: Trouble) -> int:
    """Return how often it came in a row; looks that came to nothing, and pods that did, are not counted together."""
    of_others = Q(condition_code__in=_OF_CLUSTER) & ~Q(condition_code=trouble.code)
    status = PoolStatus.objects.filter(pk=pool_id).exclude(of_others)
    return status.values_list("condition_count", flat=True).first() or 0


def _show(pool_id: str, trouble: Trouble, *, count: int, **changes: Any) -> None:
    columns = {"condition_message": trouble.words, "condition_count": count, **changes}
    status = PoolStatus.objects.filter(pk=pool_id)
    if not status.filter(condition_code=trouble.code).update(**columns):
        status.update(condition_code=trouble.code, condition_since=clock.DatabaseNow(), **columns)


def _seen(pods: Collection[Pod], now: datetime) -> Trouble | None:
    """Return the trouble of a pod that the pool waits for; of one that does not end only where it waits for none."""
    coming = [pod for pod in pods if pod.phase in COMING]
    troubled = [pod for pod in coming or pods if pod.trouble and not _is_leaving_in_time(pod, now)]
    if not troubled:
        return None
    longest = min(troubled, key=lambda pod: pod.trouble_since or pod.created_at)
    return Trouble(code=Condition(longest.trouble), words=f"Pod {longest.name}: {longest.trouble_words}")


def _texts(trouble: Trouble) -> tuple[str, str]:
    return trouble.code.value, trouble.words


def _is_leaving_in_time(pod: Pod, now: datetime) -> bool:
    return pod.phase in ENDING and (pod.deadline is None or now < pod.deadline)


def _has_succeeded(status: PoolStatus, pods: Collection[Pod]) -> bool:
    """Return whether the agent of a pod has connected since the pool's pods began to fail."""
    since = status.condition_since
    return since is not None and any(pod.connected_at and pod.connected_at > since for pod in pods)


def _is_over(status: PoolStatus, pods: Collection[Pod], now: datetime) -> bool:
    """Return whether the condition holds nothing up any more: it was only seen, or nobody asks for a pod now."""
    if status.condition_count == 0:
        return True
    rests = status.retry_at is not None and status.retry_at > now
    awaited = any(pod.phase in COMING for pod in pods)
    serving = sum(pod.phase == PodPhase.RUNNING for pod in pods)
    return not (rests or awaited) and serving >= (status.desired or 0)
