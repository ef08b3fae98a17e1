"""A hint that never came costs a heartbeat's time and nothing else: the rows say what the agent has to hear."""

from collections.abc import AsyncIterator

import pytest
from channels.layers import get_channel_layer

from agents.protocol import Cancel, Heartbeat, Offer, Work
from iacplatform.base import wakeups
from tasks import attempts, cancellation
from tests.agents.sockets import do, new_token, welcomed
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _no_hints(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(wakeups, "wake", lambda group, word="": None)
    yield
    await get_channel_layer().flush()


async def test_an_offer_that_nobody_told_of_is_heard_with_the_next_heartbeat() -> None:
    async with welcomed(await new_token()) as (socket, _):
        task = await do(factories.pending)
        assert await socket.is_silent()
        offer = await socket.ask(Heartbeat(work=()))
        await socket.say(Heartbeat(work=()))
        assert await socket.is_silent()
    assert isinstance(offer, Offer) and offer.task == task.pk


async def test_a_cancel_that_nobody_told_of_is_heard_with_the_next_heartbeat() -> None:
    async with welcomed(await new_token()) as (socket, welcome):
        task = await do(factories.pending)
        await do(attempts.accept, task.pk, 1, welcome.agent_id)
        await do(cancellation.cancel, task, by=await do(factories.person))
        word = await socket.ask(Heartbeat(work=(Work(task=task.pk, epoch=1),)))
    assert word == Cancel(task=task.pk, epoch=1, grace_seconds=300)
