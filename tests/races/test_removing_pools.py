"""A pool that is deleted while it is scaled: one of the two waits for the other, and never each for the other."""

from collections.abc import Callable
from functools import partial

import pytest

from agents import removal
from agents.fleet import scaling
from iacplatform.base import clock
from iacplatform.base.problems import InUse
from pools.models import Pod, Pool
from tests.fleet import pods
from tests.races.pairs import word
from tests.races.racing import interleave

pytestmark = pytest.mark.django_db(transaction=True)

DEEDS: dict[str, Callable[[Pool], object]] = {
    "scale": lambda pool: scaling.scale([pool], clock.now()),
    "remove": removal.remove,
}


@pytest.fixture
def pool() -> Pool:
    """Return a pool that lacks a pod, after a look at it."""
    made = pods.pool(min_replicas=1)
    pods.scale(made)
    Pod.objects.all().delete()
    return made


@pytest.mark.parametrize(
    ("first", "before", "outcome"),
    [
        ("scale", 'INSERT INTO "pools_pod"', {"scale": None, "remove": "InUse"}),
        ("remove", 'DELETE FROM "pools_poolstatus"', {"scale": None, "remove": None}),
    ],
)
def test_who_deletes_a_pool_and_who_scales_it_follow_one_another(
    pool: Pool, first: str, before: str, outcome: dict[str, str | None]
) -> None:
    second = "remove" if first == "scale" else "scale"
    answers = interleave(partial(DEEDS[first], pool), partial(DEEDS[second], pool), before=before)
    assert dict(zip((first, second), map(word, answers), strict=True)) == outcome
    assert Pod.objects.count() == (1 if InUse.__name__ in outcome.values() else 0)
