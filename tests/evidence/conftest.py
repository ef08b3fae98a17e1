"""A lost agent, and tasks that it had in hand."""

import pytest

from agents.models import Agent
from agents.sessions import Session
from tasks.models import Task
from tests.evidence import people
from tests.evidence.words import session_of
from tests.tasks import factories


@pytest.fixture
def ada() -> Agent:
    """An agent that is connected."""
    return factories.agent("ada", connected=True)


@pytest.fixture
def session(ada: Agent) -> Session:
    """Ada's right to speak."""
    return session_of(ada)


@pytest.fixture
def lost(ada: Agent) -> Task:
    """A task whose agent was lost in mid-apply."""
    return factories.needing_attention(on=ada)


@pytest.fixture
def given_up(lost: Task) -> Task:
    """The lost task, as it was before a person marked it as failed: its epoch is the lost attempt's."""
    people.mark_failed(lost)
    return lost
