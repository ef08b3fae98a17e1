"""What was decided is kept, with its inputs, where it differs from the time before."""

import pytest

from agents.fleet import decisions
from iacplatform.base import clock
from pools.models import Pool, ScalingDecision
from tests.fleet import pods
from tests.tasks import factories

pytestmark = pytest.mark.django_db

COLUMNS = ("pinned", "free", "queued", "live", "wanted", "desired", "bound")


def kept(pool: Pool) -> list[tuple[object, ...]]:
    return list(ScalingDecision.objects.filter(pool=pool).order_by("id").values_list(*COLUMNS))


def test_a_decision_is_kept_with_its_inputs_and_the_limit_that_bound_it() -> None:
    pool = pods.pool(max_replicas=2)
    factories.running(pods.pending(pool), on=pods.agent(pods.served(pool)))
    for _ in range(3):
        pods.pending(pool)
    pods.scale(pool)
    assert kept(pool) == [(1, 0, 3, 1, 4, 2, "maximum")]


def test_the_same_again_is_not_kept_and_each_change_is() -> None:
    pool = pods.pool(min_replicas=1)
    for _ in range(3):
        pods.scale(pool)
    assert kept(pool) == [(0, 0, 0, 0, 0, 1, "minimum"), (0, 0, 0, 1, 0, 1, "minimum")]
    pods.pending(pool), pods.pending(pool)
    pods.scale(pool)
    assert kept(pool)[2:] == [(0, 0, 2, 1, 2, 2, "")]


def test_what_was_before_the_last_one_counts_as_a_change() -> None:
    pool = pods.pool()
    ScalingDecision.objects.create(pool=pool, at=clock.In(seconds=-60), **dict.fromkeys(COLUMNS[:6], 0))
    ScalingDecision.objects.create(pool=pool, at=clock.In(seconds=-30), **dict.fromkeys(COLUMNS[:6], 1))
    pods.scale(pool)
    assert len(kept(pool)) == 3


def test_only_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "KEEP", 3)
    pool, other = pods.pool(), pods.pool()
    pods.scale(other)
    for _ in range(5):
        pods.pending(pool)
        pods.scale(pool)
    assert [row[2] for row in kept(pool)] == [3, 4, 5]
    assert len(kept(other)) == 1
