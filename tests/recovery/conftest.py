"""Callers of the API."""

import pytest
from rest_framework.test import APIClient

from tests import factories


@pytest.fixture
def api(db: None) -> APIClient:
    """The client of a person who may do everything."""
    return factories.client(factories.admin("ann"))
