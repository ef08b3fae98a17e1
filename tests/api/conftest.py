"""Callers of the API."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests import factories
from workspaces.models import Workspace


@pytest.fixture
def ann(db: Any) -> User:
    """A person who may do everything."""
    return factories.admin("ann")


@pytest.fixture
def api(ann: User) -> APIClient:
    """Ann's client, with a Bearer token."""
    return factories.client(ann)


@pytest.fixture
def stranger(db: Any) -> APIClient:
    """A client with the token of a person who may do nothing."""
    return factories.client(factories.person())


@pytest.fixture
def workspace(db: Any) -> Workspace:
    """A workspace without a configuration."""
    return factories.workspace(name="web")
