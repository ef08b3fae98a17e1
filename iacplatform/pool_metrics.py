"""The numbers of pools whose agents we start: labelled by the pool's id, which says no name, and bounded in number."""

from collections import Counter
from collections.abc import Iterable, Iterator

from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from pools.models import Pod, PodPhase, Pool, PoolStatus, PoolType

MOST = 200
"""Pools that have a label of their own, the oldest ones; the others are added up."""
OTHERS = "others"
_PHASES = [phase for phase in PodPhase if phase != PodPhase.GONE]

Numbers = Counter[tuple[str, str]]
"""Numbers by pool and phase, or by pool and condition."""


def collect() -> Iterator[Metric]:
    """Yield each metric: three queries."""
    ids = Pool.objects.filter(pool_type=PoolType.K8S).order_by("created_at", "pk").values_list("pk", flat=True)
    named = list(ids[: MOST + 1])
    labels = {pool_id: pool_id for pool_id in named[:MOST]}
    yield _pods(labels, has_others=len(named) > MOST)
    yield from _statuses(labels)


def _pods(labels: dict[str, str], *, has_others: bool) -> Metric:
    rows = Pod.objects.live().order_by().values_list("pool_id", "phase").annotate(Count("pk"))
    found: Numbers = Counter()
    for pool_id, phase, pods in rows:
        found[labels.get(pool_id, OTHERS), phase] += pods
    shown = [*labels, OTHERS] if has_others else list(labels)
    numbers = {(pool, phase.value): found[pool, phase.value] for pool in shown for phase in _PHASES}
    says = "Pods that are meant to be, or may still be there."
    return _family("iac_pool_pods", says, "phase", numbers.items())


def _statuses(labels: dict[str, str]) -> Iterator[Metric]:
    desired: Counter[str] = Counter()
    conditions: Numbers = Counter()
    for status in PoolStatus.objects.filter(pool__pool_type=PoolType.K8S):
        pool = labels.get(status.pool_id, OTHERS)
        desired[pool] += status.desired or 0
        if status.condition_code:
            conditions[pool, status.condition_code] += 1
    family = GaugeMetricFamily("iac_pool_desired", "Pods that the autoscaler wants.", labels=["pool"])
    for pool, pods in sorted(desired.items()):
        family.add_metric([pool], pods)
    yield family
    says = "1 while the pool cannot have its pods for this reason; no line while all is well."
    yield _family("iac_pool_condition", says, "code", conditions.items())


def _family(name: str, says: str, label: str, numbers: Iterable[tuple[tuple[str, str], int]]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=["pool", label])
    for (pool, value), number in sorted(numbers):
        family.add_metric([pool, value], number)
    return family
