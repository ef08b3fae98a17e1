"""People at the console."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import factories


@pytest.fixture
def ann(db: Any) -> User:
    """A person who may do everything."""
    return factories.admin("ann")


@pytest.fixture
def console(ann: User) -> Client:
    """Ann's browser, logged in; a fault of ours raises in it."""
    return browser(ann)


def browser(user: User) -> Client:
    """Return a browser in which `user` is logged in."""
    made = Client()
    made.force_login(user)
    return made
