"""Which pod may go: properties over any pool, then each rule by example. No database: rows that are not stored."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.fleet import victims
from agents.fleet.members import Member, Presence
from agents.fleet.victims import Situation
from agents.models import Agent
from pools.models import Pod, PodPhase

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG = 3600.0
IDLE_SECONDS = 300
STABLE_SECONDS = 120


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def member(
    idle: float = LONG,
    *,
    leases: int = 0,
    phase: PodPhase = PodPhase.RUNNING,
    connected: bool = True,
    lost: bool = False,
    draining: bool = False,
    outdated: bool = False,
    unsettled: bool = False,
    trouble: str = "",
) -> Member:
    """Return a pod that has been idle for so many seconds."""
    made = Pod(phase=phase, slots=1, config_hash="old" if outdated else "new", created_at=ago(idle), trouble=trouble)
    agent = Agent(capacity=1, draining=draining)
    presence = Presence(agent=agent, is_connected=connected, is_lost=lost, pause=None, last_ended=None)
    awaited = phase in {PodPhase.INTENDED, PodPhase.STARTING}
    return Member(pod=made, now=NOW, leases=leases, is_unsettled=unsettled, presence=None if awaited else presence)


def pool(*members: Member, desired: int = 0, most: int = 9, surplus: float = LONG, **known: Any) -> Situation:
    return Situation(
        members=members,
        now=NOW,
        most=most,
        desired=desired,
        surplus_since=ago(surplus) if surplus >= 0 else None,
        idle_seconds=IDLE_SECONDS,
        slots=1,
        config_hash="new",
        stable_seconds=STABLE_SECONDS,
        **known,
    )


def chosen(situation: Situation) -> int | None:
    """Return the place of the chosen pod among the members; None: none is chosen."""
    victim = victims.choose(situation)
    return next((at for at, each in enumerate(situation.members) if victim and each.pod is victim.pod), None)


SECONDS = st.sampled_from([0.0, 10.0, float(IDLE_SECONDS), LONG])
MEMBERS = st.lists(
    st.builds(
        member,
        SECONDS,
        leases=st.sampled_from([0, 0, 1]),
        phase=st.sampled_from(PodPhase),
        connected=st.booleans(),
        lost=st.booleans(),
        draining=st.booleans(),
        outdated=st.booleans(),
        unsettled=st.booleans(),
        trouble=st.sampled_from(["", "image_pull_failed"]),
    ),
    max_size=6,
)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    members: Sequence[Member] = draw(MEMBERS)
    pinned = sum(each.is_pinned for each in members)
    most = max(pinned, draw(st.integers(0, 6)))
    desired = draw(st.integers(pinned, max(pinned, most)))
    surplus = draw(SECONDS) if sum(each.is_live for each in members) > desired else -1
    return pool(*members, desired=desired, most=most, surplus=surplus, can_replace=draw(st.booleans()))


@given(situations())
def test_nothing_is_lost_with_it(situation: Situation) -> None:
    at = chosen(situation)
    victim = None if at is None else situation.members[at]
    assert victim is None or not (victim.leases or victim.is_unsettled or victim.is_leaving)


@given(situations())
def test_enough_are_left_unless_it_served_nobody_or_could_not_be_replaced_first(situation: Situation) -> None:
    at = chosen(situation)
    if at is None or not situation.members[at].is_live or situation.members[at] in situation.outdated:
        return
    assert len(situation.live) - 1 >= situation.desired


@given(situations())
def test_one_goes_at_a_time(situation: Situation) -> None:
    if any(each.pod.phase == PodPhase.DRAINING for each in situation.members):
        assert chosen(situation) is None


def test_the_longest_idle_goes_first() -> None:
    assert chosen(pool(member(400), member(500), member(450), desired=1)) == 1


def test_what_was_idle_for_too_short_stays() -> None:
    assert chosen(pool(member(IDLE_SECONDS - 1))) is None
    assert chosen(pool(member(IDLE_SECONDS))) == 0


def test_demand_that_fell_just_now_removes_nothing() -> None:
    assert chosen(pool(member(), surplus=STABLE_SECONDS - 1)) is None
    assert chosen(pool(member(), surplus=STABLE_SECONDS)) == 0


def test_a_pod_that_works_is_never_chosen() -> None:
    assert chosen(pool(member(leases=1), desired=1, most=1)) is None


def test_a_pod_whose_lost_apply_nobody_has_settled_is_never_chosen() -> None:
    assert chosen(pool(member(lost=True, unsettled=True))) is None


def test_a_pod_whose_agent_is_not_heard_of_any_more_goes_at_once_and_first() -> None:
    assert chosen(pool(member(LONG), member(0, lost=True), desired=2, surplus=-1)) == 1


def test_a_pod_whose_agent_was_drained_and_has_left_goes_without_blame() -> None:
    victim = victims.choose(pool(member(lost=True, draining=True)))
    assert victim is not None
    assert victim.cause == "Its agent was told to take nothing new, and has left."


def test_an_agent_that_serves_stays_until_the_other_one_is_there() -> None:
    coming = member(0, phase=PodPhase.STARTING)
    assert chosen(pool(member(), coming, desired=1)) is None
    assert chosen(pool(member(), member(0), desired=1)) == 0


def test_a_pod_that_nobody_needs_before_it_has_started_goes_when_it_has_waited_as_long() -> None:
    assert chosen(pool(member(IDLE_SECONDS - 1, phase=PodPhase.STARTING))) is None
    assert chosen(pool(member(IDLE_SECONDS, phase=PodPhase.STARTING))) == 0


def test_beyond_the_maximum_nobody_waits_and_those_that_serve_go_last() -> None:
    just_begun = pool(member(0), member(0, phase=PodPhase.STARTING), desired=1, most=1, surplus=0)
    assert chosen(just_begun) == 1


def test_an_idle_pod_goes_at_once_in_a_freeze_window() -> None:
    assert chosen(pool(member(0), member(0, leases=1), desired=1, most=1, surplus=0)) == 0


def test_an_outdated_pod_goes_when_another_has_come_in_its_place() -> None:
    old, coming = member(0, outdated=True), member(0, phase=PodPhase.STARTING)
    assert chosen(pool(old, desired=1, surplus=-1)) is None
    assert pool(old, desired=1, surplus=-1).needs_stand_in
    assert chosen(pool(old, coming, desired=1, surplus=0)) is None
    assert chosen(pool(old, member(0), desired=1, surplus=0)) == 0


def test_an_outdated_pod_goes_first_where_the_pool_may_have_no_other_beside_it() -> None:
    old = member(0, outdated=True)
    assert chosen(pool(old, desired=1, most=1, surplus=-1)) == 0


def test_an_outdated_pod_stays_while_no_new_one_can_be_had() -> None:
    old = member(0, outdated=True)
    assert chosen(pool(old, desired=1, most=1, surplus=-1, can_replace=False)) is None


def test_an_outdated_pod_that_works_stays() -> None:
    assert chosen(pool(member(outdated=True, leases=1), member(0), desired=1, surplus=0)) is None


def test_an_outdated_pod_that_cannot_start_makes_room_for_one_that_may() -> None:
    old = member(0, phase=PodPhase.STARTING, outdated=True, trouble="image_pull_failed")
    assert chosen(pool(old, desired=1, most=1, surplus=-1, can_replace=False)) == 0
    assert chosen(pool(member(0, phase=PodPhase.STARTING, trouble="image_pull_failed"), desired=1, surplus=-1)) is None
