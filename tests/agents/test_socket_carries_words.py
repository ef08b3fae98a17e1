"""What goes over an open socket: offers as they are made, answers, cancels, and the end of a session."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError

from agents import commands, logs, sessions, slots
from agents.models import Agent
from agents.protocol import (
    Accept,
    Cancel,
    Drain,
    Finished,
    Heartbeat,
    Log,
    LogStored,
    Offer,
    Received,
    Start,
    Stop,
    Work,
)
from iacplatform.base import wakeups
from pools.models import PoolToken
from tasks import cancellation
from tasks.models import Task
from tests.agents.scenes import hello
from tests.agents.sockets import Socket, do, new_token, open_socket, welcomed
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _layer() -> AsyncIterator[None]:
    yield
    await get_channel_layer().flush()


async def started(socket: Socket, **made: Any) -> Task:
    """Return a new task that the agent has begun."""
    await do(factories.pending, **made)
    offer = await socket.hear()
    assert isinstance(await socket.ask(Accept(task=offer.task, epoch=offer.epoch)), Start)
    task: Task = await do(Task.objects.get, pk=offer.task)
    return task


async def test_a_task_made_later_is_offered_at_once() -> None:
    async with welcomed(await new_token()) as (socket, _):
        task = await do(factories.pending)
        offer = await socket.hear()
    assert isinstance(offer, Offer)
    assert (offer.task, offer.epoch, offer.phase, offer.slot, offer.accept_seconds) == (task.pk, 1, "plan", 0, 10)


async def test_what_was_offered_before_the_groups_were_joined_is_told_with_the_welcome() -> None:
    text = await new_token()
    task = await do(factories.pending)
    async with welcomed(text) as (socket, _):
        assert (await socket.hear()).task == task.pk


async def test_an_offer_is_told_once_however_many_hints_come() -> None:
    async with welcomed(await new_token()) as (socket, welcome):
        await do(factories.pending)
        assert isinstance(await socket.hear(), Offer)
        for _ in range(3):
            await do(wakeups.wake, f"agent.{welcome.agent_id}")
        await get_channel_layer().group_send(f"agent.{welcome.agent_id}", {"type": "resync"})
        assert await socket.is_silent()


async def test_after_lost_hints_a_resync_tells_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    async with welcomed(await new_token()) as (socket, welcome):
        with pytest.MonkeyPatch.context() as deaf:
            deaf.setattr(wakeups, "_send", lambda groups: None)
            task = await do(factories.pending)
        assert await socket.is_silent()
        await get_channel_layer().group_send(f"agent.{welcome.agent_id}", {"type": "resync"})
        assert (await socket.hear()).task == task.pk


async def test_a_plan_from_offer_to_end() -> None:
    async with welcomed(await new_token()) as (socket, _):
        task = await started(socket)
        names = {"task": task.pk, "epoch": task.epoch}
        assert await socket.ask(Log(**names, offset=0, data="aGk=")) == LogStored(**names, offset=2)
        end = Finished(**names, outcome="failed", exit_code=1, seconds=1, log_bytes=2)  # type: ignore[arg-type]
        assert await socket.ask(end) == Received(**names)
        assert await socket.is_silent()  # of its own end it is not told again


async def test_a_cancel_reaches_the_agent_once() -> None:
    async with welcomed(await new_token()) as (socket, welcome):
        task = await started(socket)
        await do(cancellation.cancel, task, by=await do(factories.person))
        assert await socket.hear() == Cancel(task=task.pk, epoch=task.epoch, grace_seconds=commands.GRACE_SECONDS)
        await do(wakeups.wake, f"agent.{welcome.agent_id}")
        assert await socket.is_silent()


async def test_a_cancel_is_said_again_on_a_new_socket() -> None:
    text = await new_token()
    async with welcomed(text) as (socket, _):
        task = await started(socket)
    await do(cancellation.cancel, task, by=await do(factories.person))
    async with welcomed(text, work=(Work(task=task.pk, epoch=task.epoch),)) as (socket, _):
        assert isinstance(await socket.hear(), Cancel)


async def test_what_is_taken_away_is_stopped() -> None:
    async with welcomed(await new_token()) as (socket, _):
        task = await started(socket)
        person, epoch = await do(factories.person), task.epoch
        await do(cancellation.cancel, task, by=person)
        assert isinstance(await socket.hear(), Cancel)
        await do(cancellation.force_cancel, task, by=person)
        assert await socket.hear() == Stop(task=task.pk, epoch=epoch, reason="It is not this agent's any more.")


async def test_a_drained_agent_is_told_to_leave() -> None:
    async with welcomed(await new_token()) as (socket, _):
        await do(slots.drain, await do(Agent.objects.get))
        assert await socket.hear() == Drain()


async def test_a_taken_over_socket_is_told_and_closed() -> None:
    text = await new_token()
    async with welcomed(text) as (old, _), welcomed(text) as (new, _):
        refusal = await old.refusal()
        assert (refusal.code, refusal.retry) == ("session_over", False)
        assert await new.is_silent()


async def test_a_second_instance_is_told_to_come_back_later() -> None:
    text = await new_token()
    async with welcomed(text), open_socket(text) as second:
        await second.say(hello(instance="another"))
        refusal = await second.refusal()
    assert (refusal.code, refusal.retry) == ("name_taken", True)


async def test_the_old_instance_hears_nothing_of_the_new_ones_offers() -> None:
    """Both sockets are in the group of the name; where no news of the takeover comes, its accept is refused."""
    text = await new_token()
    async with welcomed(text, instance="one") as (old, welcome):
        await do(Agent.objects.filter(pk=welcome.agent_id).update, lease_until="2026-01-01T00:00:00Z")
        async with welcomed(text, instance="two") as (new, _):
            await do(factories.pending)
            assert (await old.refusal()).code == "session_over"
            assert isinstance(await new.hear(), Offer)


async def test_a_revoked_token_closes_its_sockets_at_once() -> None:
    async with welcomed(await new_token()) as (socket, _):
        await do(lambda: PoolToken.objects.get().revoke())
        refusal = await socket.refusal()
    assert (refusal.code, refusal.retry) == ("token_revoked", False)


async def test_other_tokens_stay_open() -> None:
    first, second = await new_token(), await new_token()
    async with welcomed(first) as (ada, _), welcomed(second, "bob") as (bob, _):
        await do(lambda: PoolToken.objects.matching(first).get().revoke())
        await ada.refusal()
        assert await bob.is_silent()


async def test_a_heartbeat_is_answered_only_where_there_is_something_to_stop() -> None:
    async with welcomed(await new_token()) as (socket, _):
        await socket.say(Heartbeat(work=()))
        assert await socket.is_silent()
        assert isinstance(await socket.ask(Heartbeat(work=(Work(task=1, epoch=1),))), Stop)


async def test_a_database_that_is_gone_for_a_moment_costs_the_socket_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = await new_token()
    async with welcomed(text) as (socket, _):
        task = await started(socket)
        with pytest.MonkeyPatch.context() as outage:
            outage.setattr(logs, "store", _gone)
            await socket.say(Log(task=task.pk, epoch=task.epoch, offset=0, data="aGk="))
            refusal = await socket.refusal()
    assert (refusal.code, refusal.retry) == ("try_again", True)
    async with welcomed(text, work=(Work(task=task.pk, epoch=task.epoch),)) as (socket, welcome):
        assert len(welcome.keep) == 1
        log = Log(task=task.pk, epoch=task.epoch, offset=0, data="aGk=")
        assert (await socket.ask(log)).offset == 2


async def test_a_database_that_is_gone_at_the_door_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "token_of", _gone)
    async with open_socket("iacp_any") as socket:
        refusal = await socket.refusal()
    assert (refusal.code, refusal.retry) == ("try_again", True)


async def test_our_own_fault_is_told_and_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise KeyError("slot")

    async with welcomed(await new_token()) as (socket, _):
        monkeypatch.setattr(sessions, "heartbeat", fail)
        await socket.say(Heartbeat(work=(Work(task=1, epoch=1),)))
        refusal = await socket.refusal()
    assert (refusal.code, refusal.retry) == ("error", True)


def _gone(*arguments: object) -> None:
    raise OperationalError("server closed the connection unexpectedly")
