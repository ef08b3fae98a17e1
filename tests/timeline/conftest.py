"""What tests of timelines share."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from agents import sessions, timeline
from agents.sessions import Session
from pools.models import Pool, PoolToken
from tasks.models import Task
from tasks.timeline import Entry, Kind
from tests import factories
from tests.agents.scenes import hello

Told = Callable[[Task, Kind], list[Entry]]


@pytest.fixture
def told() -> Told:
    """Return a function that gives the entries of a kind."""
    return lambda task, kind: [entry for entry in timeline.of(task) if entry.kind == kind]


@pytest.fixture
def token(db: None) -> PoolToken:
    """A token of the pool `local`."""
    return PoolToken.issue(pool=Pool.objects.local())[0]


@pytest.fixture
def connect(token: PoolToken) -> Callable[..., Session]:
    """Return a function that opens a session; it takes what `hello` takes."""
    return lambda name="ada", **members: sessions.open_session(token, hello(name, **members))[0]


@pytest.fixture
def api(db: None) -> APIClient:
    """The client of a person who may do everything."""
    ann: User = factories.admin("ann")
    return factories.client(ann)
