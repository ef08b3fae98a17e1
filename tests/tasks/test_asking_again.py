"""Asking for a slot again is heard by everybody who hears of moves."""

import logging

import pytest

from agents.models import Agent
from iacplatform.base import clock
from tasks import dispatching
from tasks.states import Lease
from tests.tasks import factories


@pytest.mark.django_db(transaction=True)
def test_no_receiver_fails_when_somebody_asks_again(caplog: pytest.LogCaptureFixture) -> None:
    task = factories.pending()
    dispatching.ask_again(task)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.django_db(transaction=True)
def test_who_asks_again_for_what_somebody_else_confirmed_meanwhile_gets_a_slot() -> None:
    agent = factories.agent()
    seen = factories.awaiting_confirmation(on=agent)
    factories.confirm(seen)
    Agent.objects.filter(pk=agent.pk).update(session="open", lease_until=clock.In(seconds=45))
    dispatching.ask_again(seen)
    assert factories.reread(seen).lease == Lease.OFFERED
