"""Who was deleted is shown as null, and the description says that it may be."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from tests.tasks import factories
from workspaces import configurations

pytestmark = pytest.mark.django_db


@pytest.fixture
def gone() -> str:
    """Return the id of a workspace whose configuration and task were made by somebody who is gone."""
    bob = factories.person("bob")
    workspace = factories.workspace()
    configurations.store(workspace, {"main.tf": ""}, bob)
    factories.pending(workspace=workspace, by=bob)
    User.objects.get(pk=bob.pk).delete()
    return workspace.pk


@pytest.mark.parametrize("rows", ["configurations", "configurations/2", "tasks"])
def test_its_maker_is_null(api: APIClient, gone: str, rows: str) -> None:
    shown = api.get(f"/api/v1/workspaces/{gone}/{rows}").json()
    newest = shown["results"][0] if "results" in shown else shown
    assert newest["created_by"] is None


@pytest.mark.parametrize("shape", ["Configuration", "ConfigurationFiles", "Task"])
def test_the_description_says_so(shape: str) -> None:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    assert schema["components"]["schemas"][shape]["properties"]["created_by"]["nullable"] is True
