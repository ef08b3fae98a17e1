"""A freeze window can be ignored: by a person's word, and no longer than it is open."""

from datetime import datetime, timedelta

import pytest

from agents import dispatcher
from iacplatform.base import clock
from pools.freeze import NotFrozen, OutOfWindow
from pools.models import Pool
from tasks.states import Lease
from tests import factories as rows
from tests.agents import scenes
from tests.tasks import factories

pytestmark = pytest.mark.django_db

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NOON = timedelta(hours=12)


def frozen() -> tuple[Pool, datetime]:
    """Return a pool whose window is open, at about noon, and when it ends."""
    clock.shift(NOON - timedelta(hours=clock.now().hour))
    now = clock.now()
    end = (now + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    window = {"days": DAYS, "start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{end:%H:%M}", "timezone": "UTC"}
    return rows.pool(freeze_windows=[window]), end


def test_it_lasts_to_the_end_of_the_window_unless_somebody_says_less() -> None:
    pool, end = frozen()
    now = clock.now()
    assert pool.is_frozen(now) and pool.frozen_until(now) == end

    assert pool.unfreeze() == end
    for known in (pool, Pool.objects.get(pk=pool.pk)):
        assert not known.is_frozen(now) and known.frozen_until(now) is None


def test_the_window_counts_again_when_the_time_is_over() -> None:
    pool, end = frozen()
    soon = clock.now() + timedelta(minutes=10)
    assert pool.unfreeze(soon) == soon
    assert not pool.is_frozen(soon - timedelta(seconds=1))
    assert pool.is_frozen(soon) and pool.frozen_until(soon) == end


def test_doing_it_again_moves_the_time() -> None:
    pool, end = frozen()
    pool.unfreeze(clock.now() + timedelta(minutes=10))
    assert pool.unfreeze() == end


def test_the_window_of_the_next_day_counts() -> None:
    pool, _ = frozen()
    pool.unfreeze()
    assert pool.is_frozen(clock.now() + timedelta(days=1))


def test_a_pool_that_is_not_frozen_says_so() -> None:
    pool = rows.pool()
    with pytest.raises(NotFrozen, match="nothing to unfreeze"):
        pool.unfreeze()
    assert NotFrozen.status == 409


@pytest.mark.parametrize("away", [timedelta(0), timedelta(seconds=-1), timedelta(hours=3)])
def test_a_time_that_is_over_or_after_the_window_is_refused_with_the_latest_one(away: timedelta) -> None:
    pool, end = frozen()
    with pytest.raises(OutOfWindow, match=f"until {end:%Y-%m-%d %H:%M} UTC at the latest"):
        pool.unfreeze(clock.now() + away)
    assert Pool.objects.get(pk=pool.pk).unfrozen_until is None


@pytest.mark.django_db(transaction=True)
def test_what_waited_starts_in_the_same_call() -> None:
    pool, _ = frozen()
    task = factories.pending(workspace=scenes.workspace_of(pool))
    factories.agent(pool=pool, connected=True)
    dispatcher.dispatch(pool.pk, cause="test")
    assert factories.reread(task).reason_code == "pool_frozen"
    pool.unfreeze()
    assert factories.reread(task).lease == Lease.OFFERED
