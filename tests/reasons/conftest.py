"""A person with all rights, before a platform in which nothing runs yet."""

import pytest
from django.test import Client

from tests import factories
from tests.reasons.surroundings import Surroundings


@pytest.fixture
def around(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    """Return a person's API and console, and the means to move agents and time."""
    ann = factories.admin("ann")
    console = Client()
    console.force_login(ann)
    return Surroundings(person=ann, api=factories.client(ann), console=console, patch=monkeypatch)
