"""Which pods a pool has and is getting, and what keeps it from more: as rows tell, no cluster is asked."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from pools.models import COMING, STAYING, ClusterStatus, Pod, PodPhase, Pool, PoolStatus

UNWATCHED_SECONDS = 120
"""A cluster is looked at every 10 s; one that fails, every 60 s at least. After so long without a look, nobody does."""


@dataclass(frozen=True, kw_only=True)
class Hindrance:
    """What keeps the pool from a pod that it needs. `code`: a wait reason's; `words`: the cluster's own.

    `count`: how many times in a row, 0 where it has not been counted; `retry_at`: no new pod before then.
    """

    code: str
    words: str
    since: datetime | None
    count: int = 0
    retry_at: datetime | None = None
    pod: Pod | None = None


@dataclass(kw_only=True)
class Supply:
    """The pods of a pool that are not gone, the oldest first; of a static pool there are none."""

    pool: Pool
    now: datetime
    pods: list[Pod] = field(default_factory=list)
    status: PoolStatus | None = None

    @property
    def staying(self) -> list[Pod]:
        """Those that nobody has begun to remove: as many as the maximum allows."""
        return [pod for pod in self.pods if pod.phase in STAYING]

    @property
    def coming(self) -> list[Pod]:
        """Those whose agent is still awaited, and of which no trouble is seen."""
        return [pod for pod in self.pods if pod.phase in COMING and not pod.trouble]

    @property
    def is_full(self) -> bool:
        """Whether the pool may have no other pod."""
        return len(self.staying) >= self.pool.max_replicas

    @property
    def is_complete(self) -> bool:
        """Whether it has all the pods that it may have, and each of them works: no cluster could give it more."""
        return self.is_full and all(pod.phase == PodPhase.RUNNING and not pod.trouble for pod in self.staying)

    @property
    def can_grow(self) -> bool:
        """Whether another pod will come by itself, or is coming."""
        return self.hindrance is None and (bool(self.coming) or not self.is_full)

    @cached_property
    def hindrance(self) -> Hindrance | None:
        """What keeps the pool from another pod; what was seen of the whole pool comes before a single pod's trouble."""
        if self.status is not None and self.status.condition_code:
            return self._condition(self.status)
        if self.coming or (pod := self._in_trouble()) is None:
            return None
        return Hindrance(code=pod.trouble, words=pod.trouble_words, since=pod.trouble_since, pod=pod)

    def _condition(self, status: PoolStatus) -> Hindrance:
        pod = self._in_trouble(status.condition_code)
        is_resting = status.retry_at is not None and status.retry_at > self.now
        return Hindrance(
            code=status.condition_code,
            words=pod.trouble_words if pod else status.condition_message,
            since=status.condition_since,
            count=status.condition_count,
            retry_at=status.retry_at if is_resting else None,
            pod=pod,
        )

    @cached_property
    def is_unwatched(self) -> bool:
        """Whether nobody has looked at the pool's cluster for too long: then no pod comes."""
        seen = ClusterStatus.objects.filter(config=self.pool.k8s_config_id).values_list("began_at", flat=True).first()
        return (seen or self.pool.created_at) < self.now - timedelta(seconds=UNWATCHED_SECONDS)

    def _in_trouble(self, code: str = "") -> Pod | None:
        troubled = (pod for pod in self.staying if pod.trouble and code in {"", pod.trouble})
        return next(troubled, None)


def look(pool: Pool, now: datetime) -> Supply:
    """Return what is known of the pods of a pool of type k8s: two queries."""
    pods = list(Pod.objects.filter(pool=pool).live().order_by("created_at", "name"))
    return Supply(pool=pool, now=now, pods=pods, status=PoolStatus.objects.filter(pool=pool).first())
