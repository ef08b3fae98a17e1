"""Heartbeats of agents that have nothing are stored together; whatever else is to be seen of an agent is seen alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError, transaction

from agents import beats, sessions, slots
from agents.beats import Beats
from agents.models import Agent
from agents.protocol import Heartbeat
from agents.sessions import Session
from iacplatform.base import clock
from pools.models import PoolToken
from tasks.models import Task
from tasks.states import Lease
from tests.agents.conftest import Connect, Later
from tests.agents.sockets import do, new_token, welcomed
from tests.races.racing import race
from tests.tasks import factories
from tests.waiting import ENOUGH_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _flush() -> AsyncIterator[None]:
    yield
    await get_channel_layer().flush()


async def prolonged(agent: Agent) -> None:
    """Return when the agent has a longer lease than here."""
    longer = Agent.objects.filter(pk=agent.pk, lease_until__gt=agent.lease_until)
    await do(until, "its lease is longer", longer.exists)


def lease_of(session: Session) -> datetime:
    return Agent.objects.get(pk=session.agent_id).lease_until


def test_it_prolongs_the_leases_of_all(connect: Connect, later: Later) -> None:
    ada, bob = connect("ada")[0], connect("bob")[0]
    later(10)
    now = clock.now()
    assert beats.store([ada, bob]) == {ada.session, bob.session}
    for session in (ada, bob):
        assert lease_of(session) > now + timedelta(seconds=40)


def test_many_cost_as_many_statements_as_one(connect: Connect, django_assert_num_queries: Any) -> None:
    crowd = [connect(f"agent-{number}")[0] for number in range(20)]
    for beating in (crowd[:1], crowd):
        with django_assert_num_queries(4):  # the transaction's two ends among them
            assert len(beats.store(beating)) == len(beating)


def _taken_over(session: Session) -> None:
    Agent.objects.filter(pk=session.agent_id).update(session="another")


def _revoked(session: Session) -> None:
    PoolToken.objects.get(pk=session.token_id).revoke()


def _token_deleted(session: Session) -> None:
    PoolToken.objects.filter(pk=session.token_id).delete()


def _drained(session: Session) -> None:
    slots.drain(Agent.objects.get(pk=session.agent_id))


def _offered(session: Session) -> None:
    assert factories.pending().lease == Lease.OFFERED


def _running(session: Session) -> None:
    factories.running(factories.pending())


def _silent(session: Session) -> None:
    clock.shift(timedelta(seconds=26))


@pytest.mark.parametrize(
    "befall",
    [_taken_over, _revoked, _token_deleted, _drained, _offered, _running, _silent],
    ids=lambda each: each.__name__,
)
def test_an_agent_to_whom_something_happened_is_looked_at_alone(
    connect: Connect, befall: Callable[[Session], None]
) -> None:
    session, _ = connect("ada")
    befall(session)
    before = lease_of(session)
    assert beats.store([session]) == set()
    assert lease_of(session) == before


def test_a_slot_that_is_kept_for_somebody_disturbs_nobody(connect: Connect) -> None:
    session, _ = connect("ada")
    task = factories.awaiting_confirmation(factories.running(factories.pending()))
    assert Task.objects.get(pk=task.pk).lease == Lease.RESERVED
    assert beats.store([session]) == {session.session}


def test_a_row_that_somebody_else_is_writing_holds_nobody_up(connect: Connect) -> None:
    ada, bob = connect("ada")[0], connect("bob")[0]
    with transaction.atomic():
        Agent.objects.select_for_update().get(pk=ada.agent_id)
        (stored,) = race(lambda: beats.store([ada, bob]))
    assert stored == {bob.session}


async def test_while_one_transaction_runs_the_others_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []

    def store(beating: Collection[Session]) -> set[str]:
        batches.append(len(beating))
        return {each.session for each in beating if each.session != "busy"}

    monkeypatch.setattr(beats, "store", store)
    together = Beats()
    names = ["first", *(f"quiet-{number}" for number in range(8)), "busy"]
    answers = await asyncio.gather(*(together.store(_session(name)) for name in names))
    assert answers == [True] * 9 + [False]
    assert batches == [10]


async def test_who_went_meanwhile_leaves_the_others_their_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "store", lambda beating: {each.session for each in beating})
    together = Beats()
    gone, there = (asyncio.create_task(together.store(_session(name))) for name in ("gone", "there"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await asyncio.wait_for(there, ENOUGH_SECONDS) is True


async def test_where_storing_ends_in_the_middle_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def cancelled(beating: Collection[Session]) -> set[str]:
        begun.set()
        await asyncio.sleep(0)  # the second one comes
        raise asyncio.CancelledError

    monkeypatch.setattr(beats, "_stored", cancelled)
    together = Beats()
    first = asyncio.create_task(together.store(_session("first")))
    await begun.wait()
    second = asyncio.create_task(together.store(_session("second")))
    assert [await asyncio.wait_for(each, ENOUGH_SECONDS) for each in (first, second)] == [False, False]


async def test_when_they_cannot_be_stored_together_each_is_stored_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(beating: Collection[Session]) -> set[str]:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(beats, "store", fail)
    async with welcomed(await new_token()) as (socket, welcome):
        agent = await do(Agent.objects.get, pk=welcome.agent_id)
        await do(clock.shift, timedelta(seconds=10))
        await socket.say(Heartbeat(work=()))
        await prolonged(agent)
        assert await socket.is_silent()


async def test_an_idle_agents_heartbeat_is_not_looked_at_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError("it was looked at alone")

    async with welcomed(await new_token()) as (socket, welcome):
        agent = await do(Agent.objects.get, pk=welcome.agent_id)
        monkeypatch.setattr(sessions, "heartbeat", fail)
        await do(clock.shift, timedelta(seconds=10))
        await socket.say(Heartbeat(work=()))
        await prolonged(agent)
        assert await socket.is_silent()


async def test_a_session_that_is_over_hears_so_with_its_next_heartbeat() -> None:
    async with welcomed(await new_token()) as (socket, welcome):
        await do(Agent.objects.filter(pk=welcome.agent_id).update, session="another")
        await socket.say(Heartbeat(work=()))
        assert (await socket.refusal()).code == "session_over"


def _session(name: str) -> Session:
    return Session(agent_id=name, agent_name=name, pool_id="pool", token_id=1, session=name)
