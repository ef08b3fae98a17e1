"""A cluster gets at most five calls a second from all our processes together, twenty at once after a rest."""

import asyncio
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import transaction

from iacplatform.base import clock
from pools import budgets
from pools.errors import Throttled
from pools.models import ClusterStatus, K8sConfig
from tests import factories
from tests.races.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

MOST_TRIES = 400
"""However slow the machine is: calls come in while the others are taken."""


@pytest.fixture
def config() -> K8sConfig:
    return factories.k8s_config()


def used_up(config: K8sConfig, *, urgent: bool = False) -> tuple[int, Throttled]:
    """Take calls until one is refused; return how many were granted, and the refusal."""
    granted = 0
    with pytest.raises(Throttled) as refused:
        while granted < MOST_TRIES:
            budgets.take(config.pk, urgent=urgent)
            granted += 1
    return granted, refused.value


def taken(config: K8sConfig, *, urgent: bool = False) -> int:
    """Return how many calls are granted that are asked for at this moment."""
    return used_up(config, urgent=urgent)[0]


def refilled(since: datetime) -> float:
    """Return how many calls have come in since then at most."""
    return 5 * (clock.now() - since).total_seconds()


def is_after(seconds: float, refusal: Throttled, *, since: datetime) -> bool:
    """Return whether the refusal says that there is a call so long after something that was done since then."""
    passed = (clock.now() - since).total_seconds()
    return seconds - passed <= refusal.retry_after <= seconds


def failed(config: K8sConfig, seconds: float) -> None:
    """Let the cluster have failed, so that it rests for so long."""
    budgets.take(config.pk)
    ClusterStatus.objects.update(not_before=clock.In(seconds=seconds))


def later(seconds: float) -> None:
    clock.shift(timedelta(seconds=seconds))


def test_twenty_at_once_then_five_a_second(config: K8sConfig) -> None:
    began = clock.now()
    at_once = taken(config)
    later(1)
    after_a_second = taken(config)
    assert at_once >= 20 and after_a_second >= 5
    assert at_once + after_a_second <= 20 + refilled(since=began)
    later(3600)
    rested = clock.now()
    assert 20 <= taken(config) <= 20 + refilled(since=rested)


def test_the_refusal_says_when_there_is_a_call_again(config: K8sConfig) -> None:
    _, refusal = used_up(config)
    assert "used up" in refusal.words and 0 <= refusal.retry_after <= 0.2
    later(refusal.retry_after)
    budgets.take(config.pk)


def test_all_processes_share_it(config: K8sConfig) -> None:
    began = clock.now()
    granted = race(*[lambda: taken(config) for _ in range(4)])
    assert 20 <= sum(granted) <= 20 + refilled(since=began), granted


def test_each_cluster_has_its_own(config: K8sConfig) -> None:
    taken(config)
    assert taken(factories.k8s_config()) >= 20


def test_no_call_is_made_before_the_time_that_the_cluster_asked_for(config: K8sConfig) -> None:
    budgets.take(config.pk)
    began = clock.now()
    budgets.hold(config.pk, 30)
    with pytest.raises(Throttled, match=r"asked to be left alone until \d\d:\d\d:\d\d UTC") as refused:
        budgets.take(config.pk)
    assert is_after(30, refused.value, since=began)
    later(30)
    budgets.take(config.pk)


def test_no_call_is_made_in_a_back_off(config: K8sConfig) -> None:
    began = clock.now()
    failed(config, 30)
    with pytest.raises(Throttled, match=r"gets no call for another \d+ seconds, as it failed") as refused:
        budgets.take(config.pk)
    assert f"another {refused.value.retry_after:.0f} seconds" in refused.value.words
    assert is_after(30, refused.value, since=began)
    later(30)
    budgets.take(config.pk)


def test_what_the_cluster_asked_for_outlives_our_back_off(config: K8sConfig) -> None:
    failed(config, 10)
    budgets.hold(config.pk, 30)
    ClusterStatus.objects.update(not_before=None)  # as a look that was answered does
    assert taken(config) == 0
    later(30)
    assert taken(config) >= 20


def test_a_shorter_wait_does_not_end_a_longer_one(config: K8sConfig) -> None:
    budgets.take(config.pk)
    budgets.hold(config.pk, 60)
    budgets.hold(config.pk, 1)
    later(30)
    assert taken(config) == 0


def test_no_cluster_can_ask_for_silence_without_end(config: K8sConfig) -> None:
    budgets.take(config.pk)
    budgets.hold(config.pk, 10**9)
    later(budgets.LONGEST_WAIT_SECONDS)
    budgets.take(config.pk)


def test_a_person_who_asks_need_not_wait_for_a_back_off_and_leaves_some_calls_to_the_platform(
    config: K8sConfig,
) -> None:
    failed(config, 60)
    later(10)
    full = clock.now()
    assert taken(config) == 0
    granted, refusal = used_up(config, urgent=True)
    assert 15 <= granted <= 15 + refilled(since=full) and "used up" in refusal.words
    later(50)
    full = clock.now()
    of_people, of_the_platform = taken(config, urgent=True), taken(config)
    assert of_people >= 15 and of_the_platform >= 5
    assert of_people + of_the_platform <= 20 + refilled(since=full)


def test_a_person_who_asks_is_told_what_the_cluster_asked_for(config: K8sConfig) -> None:
    budgets.take(config.pk)
    began = clock.now()
    budgets.hold(config.pk, 60)
    with pytest.raises(Throttled, match=r"asked to be left alone until \d\d:\d\d:\d\d UTC") as refused:
        budgets.take(config.pk, urgent=True)
    assert is_after(60, refused.value, since=began)
    later(60)
    budgets.take(config.pk, urgent=True)


def test_a_clock_that_goes_back_gives_no_calls_and_takes_none(config: K8sConfig) -> None:
    taken(config)
    later(-3600)
    assert taken(config) == 0
    assert ClusterStatus.objects.get().calls_left >= 0


def test_no_call_may_be_made_within_a_transaction(config: K8sConfig) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        budgets.take(config.pk)


def test_no_call_may_be_made_from_the_event_loop(config: K8sConfig) -> None:
    async def on_the_loop() -> None:
        budgets.take(config.pk)

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(on_the_loop())
