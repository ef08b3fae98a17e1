"""A wake-up goes out after the commit, once, and its failure is nobody's but the log's."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.layers import BaseChannelLayer, get_channel_layer
from django.db import OperationalError, connection, transaction
from pytest_django import Settings

from iacplatform.base import channel_layer
from iacplatform.base.wakeups import wake
from tests.base.channels import END, Message, member, until_end

pytestmark = pytest.mark.usefixtures("database")

WAKE = {"type": "wake"}
OURS = "iacplatform.base.channel_layer.PostgresChannelLayer"
ANOTHER = "channels.layers.InMemoryChannelLayer"


@pytest.fixture(params=[OURS, ANOTHER])
async def layer(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[BaseChannelLayer]:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": request.param}}
    layer = get_channel_layer()
    yield layer
    await layer.flush()


async def woken(layer: BaseChannelLayer, work: Callable[[], None], group: str = "agent.1") -> list[Message]:
    """Return what the group got while the synchronous code ran."""
    channel = await member(layer, group)
    await database_sync_to_async(work)()
    await layer.group_send(group, END)
    return await until_end(layer, channel)


async def test_without_a_transaction_a_group_is_woken_at_once(layer: BaseChannelLayer) -> None:
    assert await woken(layer, lambda: wake("agent.1")) == [WAKE]


async def test_many_calls_in_one_transaction_wake_once(layer: BaseChannelLayer) -> None:
    def work() -> None:
        with transaction.atomic():
            for _ in range(5):
                wake("agent.1")
            with transaction.atomic():
                wake("agent.1")
            wake("agent.1")

    assert await woken(layer, work) == [WAKE]


async def test_each_word_for_a_group_comes_once_and_in_order(layer: BaseChannelLayer) -> None:
    def work() -> None:
        with transaction.atomic():
            for word in ("first", "", "second", "first"):
                wake("agent.1", word)

    assert await woken(layer, work) == [{**WAKE, "word": "first"}, WAKE, {**WAKE, "word": "second"}]


async def test_each_transaction_wakes_for_itself(layer: BaseChannelLayer) -> None:
    def work() -> None:
        for _ in range(2):
            with transaction.atomic():
                wake("agent.1")

    assert await woken(layer, work) == [WAKE, WAKE]


async def test_several_groups_of_one_transaction_are_all_woken(layer: BaseChannelLayer) -> None:
    def work() -> None:
        with transaction.atomic():
            wake("agent.1")
            wake("agent.2")

    assert await woken(layer, work, "agent.1") == [WAKE]
    assert await woken(layer, work, "agent.2") == [WAKE]


async def test_nothing_is_sent_before_the_commit(layer: BaseChannelLayer) -> None:
    def work() -> None:
        with transaction.atomic():
            wake("agent.1")
            async_to_sync(layer.group_send)("agent.1", {"type": "before the commit"})

    assert await woken(layer, work) == [{"type": "before the commit"}, WAKE]


async def test_a_transaction_that_is_rolled_back_wakes_nobody(layer: BaseChannelLayer) -> None:
    def work() -> None:
        with transaction.atomic():
            wake("agent.1")
            transaction.set_rollback(True)

    assert await woken(layer, work) == []


async def test_a_savepoint_that_is_rolled_back_wakes_nobody(layer: BaseChannelLayer) -> None:
    def work() -> None:
        with transaction.atomic(), transaction.atomic():
            wake("agent.1")
            transaction.set_rollback(True)

    assert await woken(layer, work) == []


async def test_a_savepoint_that_is_rolled_back_takes_no_other_wake_up_with_it(layer: BaseChannelLayer) -> None:
    def work() -> None:
        with transaction.atomic():
            with transaction.atomic():
                wake("agent.1")
                transaction.set_rollback(True)
            wake("agent.1")

    assert await woken(layer, work) == [WAKE]


@pytest.mark.parametrize("layer", [OURS], indirect=True)
async def test_a_failure_is_logged_and_the_transaction_stands(
    layer: BaseChannelLayer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(payloads: list[str]) -> None:
        raise OperationalError("the database went away")

    def work() -> None:
        with transaction.atomic():
            wake("agent.1")
        reached.append(True)

    reached: list[bool] = []
    monkeypatch.setattr(channel_layer, "notify", broken)
    await database_sync_to_async(work)()
    assert reached == [True]
    assert "Wake-ups were not sent" in caplog.text


def test_a_group_name_that_no_layer_takes_is_logged(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": OURS}}
    caplog.set_level(logging.ERROR)
    wake("not a group")
    assert "Wake-ups were not sent" in caplog.text


def test_without_a_channel_layer_a_wake_up_is_no_error(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.CHANNEL_LAYERS = {}
    wake("agent.1")
    assert caplog.text == ""


def test_all_groups_of_a_transaction_go_out_in_one_statement(
    settings: Settings, django_assert_num_queries: Callable[..., AbstractContextManager[Any]]
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": OURS}}
    with transaction.atomic():
        for number in range(20):
            wake(f"agent.{number}")
        hooks, connection.run_on_commit = connection.run_on_commit, []
    with django_assert_num_queries(1):
        for each in hooks:
            each[1]()
