"""What must be true of the arithmetic, whatever the numbers."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from pools import autoscaler
from pools.autoscaler import Bound, Demand, Limits

COUNTS = st.integers(0, 2000)
DEMANDS = st.builds(Demand, pinned=COUNTS, free=COUNTS, queued=COUNTS)


@st.composite
def _limits(draw: st.DrawFn) -> Limits:
    low, high = sorted([draw(st.integers(0, 1000)), draw(st.integers(0, 1000))])
    return Limits(slots=draw(st.integers(1, 64)), minimum=low, maximum=high, is_frozen=draw(st.booleans()))


LIMITS = _limits()
OPEN = LIMITS.map(lambda limits: replace(limits, is_frozen=False))


def desired(demand: Demand, limits: Limits) -> int:
    return autoscaler.decide(demand, limits).desired


@given(DEMANDS, LIMITS)
def test_it_is_never_below_the_pods_that_hold_a_lease(demand: Demand, limits: Limits) -> None:
    assert desired(demand, limits) >= demand.pinned


@given(DEMANDS, OPEN)
def test_it_leaves_the_limits_only_for_pods_that_hold_a_lease(demand: Demand, limits: Limits) -> None:
    pods = desired(demand, limits)
    assert pods >= limits.minimum
    assert pods <= limits.maximum or pods == demand.pinned


@given(DEMANDS, OPEN)
def test_a_start_on_a_pod_that_works_already_changes_nothing(demand: Demand, limits: Limits) -> None:
    assume(demand.queued and demand.free)
    started = replace(demand, free=demand.free - 1, queued=demand.queued - 1)
    assert autoscaler.decide(started, limits) == autoscaler.decide(demand, limits)


@given(DEMANDS, OPEN)
def test_a_start_on_an_idle_pod_changes_nothing(demand: Demand, limits: Limits) -> None:
    """Idle pods get work where no working one has a free slot left; incident 515."""
    demand = replace(demand, free=0)
    assume(demand.queued and demand.pinned < desired(demand, limits))
    started = Demand(pinned=demand.pinned + 1, free=limits.slots - 1, queued=demand.queued - 1)
    assert autoscaler.decide(started, limits) == autoscaler.decide(demand, limits)


@given(st.integers(1, 2000), OPEN)
def test_a_cold_start_makes_at_least_one(queued: int, limits: Limits) -> None:
    assume(limits.maximum)
    assert desired(Demand(queued=queued), limits) >= 1


@given(DEMANDS, LIMITS)
def test_more_demand_never_means_fewer_pods(demand: Demand, limits: Limits) -> None:
    pods = desired(demand, limits)
    assert desired(replace(demand, queued=demand.queued + 1), limits) >= pods
    assert desired(replace(demand, pinned=demand.pinned + 1), limits) >= pods
    assert desired(replace(demand, free=demand.free + 1), limits) <= pods


@given(DEMANDS, LIMITS)
def test_a_higher_limit_never_means_fewer_pods(demand: Demand, limits: Limits) -> None:
    assert desired(demand, replace(limits, maximum=limits.maximum + 1)) >= desired(demand, limits)


@given(DEMANDS, LIMITS)
def test_a_frozen_pool_never_grows_and_keeps_only_what_works(demand: Demand, limits: Limits) -> None:
    assert desired(demand, replace(limits, is_frozen=True)) == demand.pinned


@given(DEMANDS, LIMITS)
def test_the_idle_pods_of_a_frozen_pool_are_too_many(demand: Demand, limits: Limits) -> None:
    assert desired(replace(demand, pinned=0), replace(limits, is_frozen=True)) == 0


@given(DEMANDS, OPEN)
def test_what_is_wanted_has_room_for_everybody_and_is_no_pod_too_large(demand: Demand, limits: Limits) -> None:
    added = autoscaler.decide(demand, limits).wanted - demand.pinned
    missing = max(0, demand.queued - demand.free)
    assert added * limits.slots >= missing > (added - 1) * limits.slots or added == missing == 0


@given(DEMANDS, LIMITS)
def test_a_limit_is_named_exactly_where_it_decided(demand: Demand, limits: Limits) -> None:
    verdict = autoscaler.decide(demand, limits)
    decided = {
        Bound.NONE: verdict.desired == verdict.wanted,
        Bound.MINIMUM: verdict.desired == limits.minimum > verdict.wanted,
        Bound.MAXIMUM: verdict.wanted > verdict.desired == max(limits.maximum, demand.pinned),
        Bound.FROZEN: verdict.desired == demand.pinned,
    }
    assert decided[verdict.bound]
    assert (verdict.bound == Bound.FROZEN) == limits.is_frozen
