"""A cluster gets at most five calls a second from all our processes together, twenty at once after a rest."""

import asyncio
from datetime import timedelta

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


@pytest.fixture
def config() -> K8sConfig:
    return factories.k8s_config()


def taken(config: K8sConfig, tries: int = 40, *, urgent: bool = False) -> int:
    """Return how many of the calls are granted that are asked for at this moment."""
    for granted in range(tries):
        try:
            budgets.take(config.pk, urgent=urgent)
        except Throttled:
            return granted
    return tries


def failed(config: K8sConfig, seconds: float) -> None:
    """Let the cluster have failed, so that it rests for so long."""
    budgets.take(config.pk)
    ClusterStatus.objects.update(not_before=clock.In(seconds=seconds))


def later(seconds: float) -> None:
    clock.shift(timedelta(seconds=seconds))


def test_twenty_at_once_then_five_a_second(config: K8sConfig) -> None:
    assert 20 <= taken(config) <= 22
    later(1)
    assert 5 <= taken(config) <= 7
    later(3600)
    assert 20 <= taken(config) <= 22


def test_the_refusal_says_when_there_is_a_call_again(config: K8sConfig) -> None:
    taken(config)
    with pytest.raises(Throttled, match="used up") as refused:
        budgets.take(config.pk)
    assert 0 < refused.value.retry_after <= 0.2
    later(refused.value.retry_after)
    budgets.take(config.pk)


def test_all_processes_share_it(config: K8sConfig) -> None:
    granted = race(*[lambda: taken(config, 20) for _ in range(4)])
    assert 20 <= sum(granted) <= 25, granted


def test_each_cluster_has_its_own(config: K8sConfig) -> None:
    taken(config)
    assert taken(factories.k8s_config()) >= 20


def test_no_call_is_made_before_the_time_that_the_cluster_asked_for(config: K8sConfig) -> None:
    budgets.take(config.pk)
    budgets.hold(config.pk, 30)
    with pytest.raises(Throttled, match=r"asked to be left alone until \d\d:\d\d:\d\d UTC") as refused:
        budgets.take(config.pk)
    assert 29 < refused.value.retry_after <= 30
    later(30)
    budgets.take(config.pk)


def test_no_call_is_made_in_a_back_off(config: K8sConfig) -> None:
    failed(config, 30)
    with pytest.raises(Throttled, match="gets no call for another 30 seconds, as it failed") as refused:
        budgets.take(config.pk)
    assert 29 < refused.value.retry_after <= 30
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
    assert taken(config) == 0 and 15 <= taken(config, urgent=True) <= 17
    with pytest.raises(Throttled, match="used up"):
        budgets.take(config.pk, urgent=True)
    later(50)
    assert 15 <= taken(config, urgent=True) <= 17 and 5 <= taken(config) <= 7


def test_a_person_who_asks_is_told_what_the_cluster_asked_for(config: K8sConfig) -> None:
    budgets.take(config.pk)
    budgets.hold(config.pk, 60)
    with pytest.raises(Throttled, match=r"asked to be left alone until \d\d:\d\d:\d\d UTC") as refused:
        budgets.take(config.pk, urgent=True)
    assert 59 < refused.value.retry_after <= 60
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
