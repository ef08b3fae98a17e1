"""A changed mode, pool or lock is told after the commit; a change elsewhere is not, and loses no lock."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from tests import factories
from workspaces import locks, signals
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Ids of the workspaces that news came of."""
    ids: list[str] = []

    def hear(workspace_id: str, **kwargs: Any) -> None:
        assert not transaction.get_connection().in_atomic_block
        ids.append(workspace_id)

    signals.workspace_changed.connect(hear)
    yield ids
    signals.workspace_changed.disconnect(hear)


def test_a_moved_workspace_is_told(heard: list[str]) -> None:
    workspace, api = factories.workspace(), factories.client(factories.admin())
    moved = {"execution_mode": "agent", "pool_id": factories.pool().pk}
    assert api.patch(f"/api/v1/workspaces/{workspace.pk}", moved, format="json").status_code == 200
    assert heard == [workspace.pk]
    assert api.patch(f"/api/v1/workspaces/{workspace.pk}", {"description": "x"}, format="json").status_code == 200
    assert heard == [workspace.pk]


def test_lock_and_unlock_are_told(heard: list[str]) -> None:
    workspace, api = factories.workspace(), factories.client(factories.admin())
    locked = api.post(f"/api/v1/workspaces/{workspace.pk}/lock", {"reason": "audit"}, format="json").json()
    assert (locked["is_locked"], locked["locked_by"], locked["lock_reason"]) == (True, "user:ann", "audit")
    unlocked = api.post(f"/api/v1/workspaces/{workspace.pk}/unlock").json()
    assert (unlocked["is_locked"], unlocked["lock_reason"]) == (False, "")
    assert heard == [workspace.pk, workspace.pk]


def test_a_lock_of_somebody_else_is_refused() -> None:
    workspace = factories.workspace()
    address = f"/api/v1/workspaces/{workspace.pk}"
    factories.client(factories.admin("ann")).post(f"{address}/lock", {"reason": "audit"}, format="json")
    refused = factories.client(factories.admin("bob")).post(f"{address}/lock", {}, format="json")
    assert refused.status_code == 409 and refused.json()["code"] == "already_locked"
    assert "user:ann" in refused.json()["detail"] and "audit" in refused.json()["detail"]


def test_unlocking_what_is_free_is_refused() -> None:
    refused = factories.client(factories.admin()).post(f"/api/v1/workspaces/{factories.workspace().pk}/unlock")
    assert refused.status_code == 409 and refused.json()["code"] == "not_locked"


def test_the_admin_tells_too_and_leaves_a_lock_that_came_meanwhile(admin_client: Client, heard: list[str]) -> None:
    workspace = factories.workspace()
    page = f"/admin/workspaces/workspace/{workspace.pk}/change/"
    stored = {
        field: getattr(workspace, field)
        for field in ("name", "engine", "plan_timeout_seconds", "apply_timeout_seconds")
    }
    locks.lock(workspace, by=factories.admin(), reason="while the form was open")
    heard.clear()
    answer = admin_client.post(page, {**stored, "execution_mode": "agent", "pool": factories.pool().pk})
    assert answer.status_code == 302
    kept = Workspace.objects.get()
    assert (kept.execution_mode, kept.is_locked) == ("agent", True)
    assert heard == [workspace.pk]
