"""Mode and pool fit, whichever way a workspace is written: serializer, form, admin, or SQL by hand."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from iacplatform.console.forms import Settings
from pools.models import Pool
from tests import factories
from workspaces.models import Workspace

CASES = [
    ("local", "static"),
    ("local", "k8s"),
    ("agent", "k8s"),
    ("k8s", "static"),
    ("k8s", "local"),
    ("k8s", None),
]
"""Modes with a pool that they cannot use."""

FITTING = [
    ("local", None),
    ("local", "local"),
    ("agent", "static"),
    ("agent", "local"),
    ("agent", None),
    ("k8s", "k8s"),
]


def named(kind: str | None) -> Pool | None:
    """Return a pool of this kind."""
    makers: dict[str | None, Any] = {"local": Pool.objects.local, "static": factories.pool, "k8s": factories.k8s_pool}
    return makers[kind]() if kind else None


def values(mode: str, pool: Pool | None) -> dict[str, Any]:
    """Return a workspace's settings."""
    return {"name": "web", "execution_mode": mode, "pool_id": pool.pk if pool else None}


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "kind"), CASES)
def test_the_api_refuses(mode: str, kind: str | None) -> None:
    api = factories.client(factories.admin())
    answer = api.post("/api/v1/workspaces", values(mode, named(kind)), format="json")
    assert answer.status_code == 400 and answer.json()["errors"]["pool_id"]
    workspace = factories.workspace()
    changed = api.patch(f"/api/v1/workspaces/{workspace.pk}", values(mode, named(kind)), format="json")
    assert changed.status_code == 400 and changed.json()["errors"]["pool_id"]


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "kind"), CASES)
def test_the_form_refuses(mode: str, kind: str | None) -> None:
    pool = named(kind)
    form = Settings({**values(mode, pool), "pool": pool.pk if pool else ""}, user=factories.admin())
    assert not form.is_valid() and form.errors["pool"]


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "kind"), CASES)
def test_the_admin_refuses(mode: str, kind: str | None, admin_client: Client) -> None:
    pool = named(kind)
    filled = {
        "name": "web",
        "execution_mode": mode,
        "pool": pool.pk if pool else "",
        "engine": "terraform",
        "plan_timeout_seconds": 3600,
        "apply_timeout_seconds": 3600,
    }
    answer = admin_client.post("/admin/workspaces/workspace/add/", filled)
    assert answer.status_code == 200 and not Workspace.objects.exists()
    assert f"Execution mode {mode} " in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "kind"), CASES)
def test_the_database_refuses(mode: str, kind: str | None) -> None:
    pool = named(kind)
    factories.workspace()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE workspaces_workspace SET execution_mode = %s, pool_id = %s", [mode, pool.pk if pool else None]
        )


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "kind"), FITTING)
def test_what_fits_is_taken_everywhere(mode: str, kind: str | None) -> None:
    api: APIClient = factories.client(factories.admin())
    pool = named(kind)
    assert api.post("/api/v1/workspaces", values(mode, pool), format="json").status_code == 201
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE workspaces_workspace SET execution_mode = %s, pool_id = %s", [mode, pool.pk if pool else None]
        )
