"""What the autoscaler decided, kept where it differs from the time before; and the oldest forgotten."""

from collections.abc import Collection, Mapping

from django.db.models import F, OuterRef, Subquery, Window
from django.db.models.functions import RowNumber

from pools.autoscaler import Demand, Verdict
from pools.models import Pool, ScalingDecision

KEEP = 500
"""Decisions of each pool, the newest."""

_NUMBERS = ("pinned", "free", "queued", "live", "wanted", "desired", "bound")


def decision(pool_id: str, demand: Demand, live: int, verdict: Verdict) -> ScalingDecision:
    """Return what was decided for the pool, from which numbers; not stored yet. `live`: pods there, or starting."""
    inputs = {"pinned": demand.pinned, "free": demand.free, "queued": demand.queued, "live": live}
    outputs = {"wanted": verdict.wanted, "desired": verdict.desired, "bound": verdict.bound}
    return ScalingDecision(pool_id=pool_id, **inputs, **outputs)


def note(decided: Collection[ScalingDecision]) -> None:
    """Store those that differ from the last one of their pool: two queries, four where there are any."""
    last = _last_of([each.pool_id for each in decided])
    news = [each for each in decided if _numbers(each) != last.get(each.pool_id)]
    if news:
        ScalingDecision.objects.bulk_create(news)
        _forget({each.pool_id for each in news})


def _last_of(pool_ids: Collection[str]) -> Mapping[str, tuple[object, ...]]:
    newest = ScalingDecision.objects.filter(pool_id=OuterRef("pk")).order_by("-at", "-id")
    last = Pool.objects.filter(pk__in=pool_ids).values(newest=Subquery(newest.values("pk")[:1]))
    return {each.pool_id: _numbers(each) for each in ScalingDecision.objects.filter(pk__in=last)}


def _numbers(each: ScalingDecision) -> tuple[object, ...]:
    return tuple(getattr(each, name) for name in _NUMBERS)


def _forget(pool_ids: Collection[str]) -> None:
    by_age = Window(RowNumber(), partition_by=F("pool_id"), order_by=[F("at").desc(), F("id").desc()])
    old = ScalingDecision.objects.filter(pool_id__in=pool_ids).annotate(age=by_age).filter(age__gt=KEEP)
    ScalingDecision.objects.filter(pk__in=old.values("pk")).delete()
