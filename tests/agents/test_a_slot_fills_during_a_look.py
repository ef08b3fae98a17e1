"""A slot that a lost agent takes back in the very instant in which it is offered: the offer is undone, nothing else."""

import pytest

from agents import capacity, dispatcher
from agents.models import Agent
from agents.roster import Present
from tasks.models import Attempt, Task, TaskEvent
from tests.agents import scenes
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def see_all_slots_as_free_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next look at the pool miss who holds a slot, as one does that came a moment too early."""
    looks = iter([lambda agent: set(range(agent.capacity))])
    truth = capacity._free

    def free(agent: Present) -> set[int]:
        return next(looks, truth)(agent)

    monkeypatch.setattr(capacity, "_free", free)


def two_waiting_and_one_slot_free() -> tuple[Agent, Task, Task]:
    agent = factories.agent("ada", connected=True, capacity=1)
    factories.running(on=agent)
    first, second = factories.pending(), factories.pending()
    Agent.objects.update(capacity=2)
    return agent, first, second


def test_the_pass_looks_again_and_offers_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    agent, first, second = two_waiting_and_one_slot_free()
    see_all_slots_as_free_once(monkeypatch)

    done = dispatcher.dispatch(agent.pool_id, cause="test")

    assert scenes.offered_to(agent) == [first.pk]
    assert factories.reread(second).reason_code == "no_free_slot"
    assert (done.seen, done.offers) == (2, 1)


def test_one_that_can_never_be_offered_keeps_nobody_else_from_a_slot() -> None:
    agent, first, second = two_waiting_and_one_slot_free()
    known = {"phase": "plan", "number": 1, "agent_id": agent.pk, "agent_name": agent.name, "slot": 1}
    Attempt.objects.create(task=first, epoch=first.epoch + 1, **known)

    done = dispatcher.dispatch(agent.pool_id, cause="test")

    assert scenes.offered_to(agent) == [second.pk]
    assert (done.seen, done.offers) == (2, 1)
    assert not TaskEvent.objects.filter(event="offered", task=first).exists()
