"""The loop's middle: how many pods each pool should have is decided and written down; the cluster is not asked.

Growing is a row for each pod that is missing; whoever looks at the cluster makes pods of rows. Shrinking is one pod at
a time that takes nothing new from now on (`draining`); whoever looks at the cluster deletes it there.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from agents.fleet import decisions, demand, draining, members, victims
from agents.fleet.members import Member
from agents.fleet.victims import Situation
from iacplatform.base import ids
from pools import autoscaler, pod_specs
from pools.autoscaler import Demand, Limits, Verdict
from pools.models import Pod, Pool, PoolStatus, PoolType, ScalingDecision
from pools.models.pod import OURS


@dataclass(frozen=True, kw_only=True)
class Review:
    """A pool, what was found of it, and what was decided."""

    pool: Pool
    status: PoolStatus
    demand: Demand
    verdict: Verdict
    situation: Situation

    @property
    def missing(self) -> int:
        """How many pods are to be made now."""
        at = self.situation
        if self.status.retry_at is not None and self.status.retry_at > at.now:
            return 0
        needed = at.desired + at.needs_stand_in - len(at.live)
        return max(0, min(needed, at.most - len(at.staying)))


def scale(pools: Collection[Pool], now: datetime) -> None:
    """Decide for these pools, write what follows, and take out of service what is too many, one pod of each pool.

    Rows only, in two short transactions, with the same number of queries for one pool and for a hundred. Pools of
    another type than k8s are passed over. Scaling twice at once is harmless: the second waits, and finds it done.
    """
    with transaction.atomic():
        reviews = _review([pool.pk for pool in pools], now)
        decisions.note([_decision(review) for review in reviews])
        PoolStatus.objects.bulk_update([review.status for review in reviews], ["desired", "surplus_since"])
        Pod.objects.bulk_create([_intended(review) for review in reviews for _ in range(review.missing)])
        _note_busy(reviews, now)
    chosen = [victim for review in reviews if (victim := victims.choose(review.situation)) is not None]
    if chosen:
        draining.drain_idle({victim.pod.pk: victim.cause for victim in chosen})


def _review(pool_ids: Collection[str], now: datetime) -> list[Review]:
    pools = _locked(pool_ids)
    statuses = _statuses(pools)
    roster = members.of([pool.pk for pool in pools], now)
    demands = demand.among(roster)
    return [_judge(pool, statuses[pool.pk], demands[pool.pk], roster[pool.pk], now) for pool in pools]


def _locked(pool_ids: Collection[str]) -> list[Pool]:
    """Return those that are of pods, their rows locked in one order and before any row of theirs, as who deletes them
    does: so two looks follow one another, and nobody waits for one who waits for him."""
    ours = Pool.objects.filter(pk__in=pool_ids, pool_type=PoolType.K8S).order_by("pk")
    return list(ours.select_related("k8s_config").select_for_update(of=("self",), no_key=True))


def _statuses(pools: Collection[Pool]) -> dict[str, PoolStatus]:
    PoolStatus.objects.bulk_create([PoolStatus(pool=pool) for pool in pools], ignore_conflicts=True)
    return {status.pool_id: status for status in PoolStatus.objects.filter(pool__in=pools)}


def _judge(pool: Pool, status: PoolStatus, needs: Demand, found: list[Member], now: datetime) -> Review:
    limits = limits_of(pool, now)
    verdict = autoscaler.decide(needs, limits)
    live = sum(member.is_live for member in found)
    status.desired = verdict.desired
    status.surplus_since = (status.surplus_since or now) if live > verdict.desired else None
    most = max(needs.pinned, 0 if limits.is_frozen else limits.maximum)
    situation = _situation(pool, status, found, most, now)
    return Review(pool=pool, status=status, demand=needs, verdict=verdict, situation=situation)


def _situation(pool: Pool, status: PoolStatus, found: list[Member], most: int, now: datetime) -> Situation:
    return Situation(
        members=found,
        now=now,
        most=most,
        desired=status.desired or 0,
        surplus_since=status.surplus_since,
        idle_seconds=pool.idle_seconds,
        slots=pool.slots_per_pod,
        config_hash=_config_hash(pool),
        stable_seconds=settings.POOL_STABLE_SECONDS,
        can_replace=not status.condition_code,
    )


def limits_of(pool: Pool, now: datetime) -> Limits:
    """Return what the pool may have now."""
    sizes = {"slots": pool.slots_per_pod, "minimum": pool.min_replicas, "maximum": pool.max_replicas}
    return Limits(**sizes, is_frozen=pool.is_frozen(now))


def _decision(review: Review) -> ScalingDecision:
    return decisions.decision(review.pool.pk, review.demand, len(review.situation.live), review.verdict)


def _intended(review: Review) -> Pod:
    pool = review.pool
    return Pod(pool=pool, name=new_name(pool), slots=pool.slots_per_pod, config_hash=review.situation.config_hash)


def new_name(pool: Pool) -> str:
    """Return a name that no pod has had."""
    return ids.new(f"{OURS}{pool.pk.removeprefix('pool-')}-", 8)


def _config_hash(pool: Pool) -> str:
    return pod_specs.hash_of(pool.k8s_config) if pool.k8s_config else ""


def _note_busy(reviews: Iterable[Review], now: datetime) -> None:
    """Remember that they were busy: a slot that is kept ends without an attempt that would say when."""
    pinned = [member.pod.pk for review in reviews for member in review.situation.members if member.is_pinned]
    Pod.objects.filter(pk__in=pinned).update(last_busy_at=now)
