"""A wake-up for an offer brings the offer along: it is passed on unread, and counts for nothing until it is accepted."""

from collections.abc import AsyncIterator

import pytest
from channels.layers import get_channel_layer

from agents import commands, dispatcher, offers, protocol
from agents.models import Agent
from agents.protocol import Accept, Drain, Offer, Start, Stop
from iacplatform.base import actors, wakeups
from pools.models import Pool, PoolToken
from tasks import attempts, cancellation
from tasks.models import Task
from tasks.states import Lease, Status
from tests.agents.sockets import do, new_token, welcomed
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _layer() -> AsyncIterator[None]:
    yield
    await get_channel_layer().flush()


def _never(*_arguments: object) -> None:
    raise AssertionError("the rows were read for an offer that came along")


async def _wake(agent_id: str, offer: Offer) -> None:
    await do(wakeups.wake, f"agent.{agent_id}", protocol.dump(offer))


def _take_back(task_id: int) -> Task:
    """Free the slot as the sweep does where nobody accepted, and let nobody have it for now."""
    Agent.objects.update(draining=True)
    attempts.take_back(Task.objects.get(pk=task_id), cause="Nobody accepted.", actor=actors.SWEEP)
    return Task.objects.get(pk=task_id)


def _lapse(task_id: int) -> None:
    """End a task whose offer nobody has accepted, so that its slot is free at once."""
    cancellation.cancel(Task.objects.get(pk=task_id), by=factories.person())


async def test_no_row_is_read_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with welcomed(await new_token()) as (socket, _):
        monkeypatch.setattr(commands, "pending", _never)
        task = await do(factories.pending)
        offer = await socket.hear()
        assert (offer.task, offer.epoch, offer.phase, offer.slot) == (task.pk, 1, "plan", 0)
        assert isinstance(await socket.ask(Accept(task=offer.task, epoch=offer.epoch)), Start)


async def test_each_agent_of_a_pass_hears_its_own() -> None:
    text = await new_token()
    async with welcomed(text, "ada") as (ada, _), welcomed(text, "bob") as (bob, _):
        with pytest.MonkeyPatch.context() as unheard:
            unheard.setattr(dispatcher, "try_dispatch", lambda *_, **__: None)
            made = [await do(factories.pending) for _ in range(2)]
        await do(dispatcher.dispatch, (await do(Pool.objects.local)).pk, cause="test")
        assert {(await socket.hear()).task for socket in (ada, bob)} == {task.pk for task in made}
        assert await ada.is_silent() and await bob.is_silent()


async def test_what_was_heard_already_is_not_said_again() -> None:
    async with welcomed(await new_token()) as (socket, welcome):
        await do(factories.pending)
        offer = await socket.hear()
        await _wake(welcome.agent_id, offer)
        assert await socket.is_silent()
        assert isinstance(await socket.ask(Accept(task=offer.task, epoch=offer.epoch)), Start)
        await _wake(welcome.agent_id, offer)
        assert await socket.is_silent()


async def test_what_comes_too_late_is_stopped_when_it_is_accepted() -> None:
    async with welcomed(await new_token()) as (socket, welcome):
        await do(factories.pending)
        offer = await socket.hear()
        gone = await do(_take_back, offer.task)
        assert [type(await socket.hear()), type(await socket.hear())] == [Stop, Drain]
        await _wake(welcome.agent_id, offer)
        assert await socket.hear() == offer
        assert isinstance(await socket.ask(Accept(task=offer.task, epoch=offer.epoch)), Stop)
    assert (await do(factories.reread, gone)).lease == Lease.NONE


async def test_what_makes_room_is_said_before_what_needs_it() -> None:
    """An agent with one slot that has a late offer in it would let the next one lapse unheard."""
    async with welcomed(await new_token()) as (socket, welcome):
        with pytest.MonkeyPatch.context() as stalled:
            stalled.setattr(wakeups, "_send", lambda hints: None)
            gone = await do(factories.pending)
            await do(_lapse, gone.pk)
            wanted = await do(factories.pending)
        await _wake(welcome.agent_id, offers.word(gone.pk, 1, "plan", 0))
        assert (await socket.hear()).task == gone.pk
        await do(wakeups.wake, f"agent.{welcome.agent_id}")
        stop, offer = await socket.hear(), await socket.hear()
    assert isinstance(stop, Stop) and stop.task == gone.pk
    assert isinstance(offer, Offer) and offer.task == wanted.pk


@pytest.mark.parametrize("word", ["", "gibberish", '{"type": "offer", "task": 1}', protocol.dump(Drain())])
async def test_where_another_release_sent_something_else_the_rows_are_read(word: str) -> None:
    async with welcomed(await new_token()) as (socket, welcome):
        with pytest.MonkeyPatch.context() as deaf:
            deaf.setattr(wakeups, "_send", lambda hints: None)
            task = await do(factories.pending)
        await do(wakeups.wake, f"agent.{welcome.agent_id}", word)
        assert (await socket.hear()).task == task.pk


async def test_who_may_not_speak_any_more_starts_nothing_with_it() -> None:
    async with welcomed(await new_token()) as (socket, _):
        task = await do(factories.pending)
        offer = await socket.hear()
        with pytest.MonkeyPatch.context() as deaf:
            deaf.setattr(wakeups, "_send", lambda hints: None)
            await do(lambda: PoolToken.objects.get().revoke())
        await socket.say(Accept(task=offer.task, epoch=offer.epoch))
        refusal = await socket.refusal()
    assert (refusal.code, refusal.retry) == ("token_revoked", False)
    assert (await do(factories.reread, task)).status == Status.PENDING
