"""The admin's pages of workspaces: every model is there, secrets are not, and what a hand could break is read-only."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client

from tests import factories
from workspaces import states
from workspaces.models import Configuration, StateLock, StateVersion, Variable, Workspace
from workspaces.state_api import person

pytestmark = pytest.mark.django_db

ADMIN = "/admin/workspaces"
NEW = {"key": "region", "category": "terraform", "value": "hunter2"}


def add(client: Client, **fields: str) -> int:
    """Return the status of a new variable's form; 302 when it was stored."""
    workspace = Workspace.objects.first() or factories.workspace()
    answer = client.post(f"{ADMIN}/variable/add/", {**NEW, "workspace": workspace.pk, **fields})
    assert b"hunter2" not in answer.content
    return answer.status_code


def test_every_model_has_its_page(admin_client: Client) -> None:
    for model in apps.get_app_config("workspaces").get_models():
        assert model in admin.site._registry
        assert admin_client.get(f"{ADMIN}/{model._meta.model_name}/").status_code == 200


def test_a_new_workspace_shows_nothing_that_it_will_not_have(admin_client: Client) -> None:
    page = admin_client.get(f"{ADMIN}/workspace/add/").content.decode()
    assert "Execution mode" in page
    assert not {text for text in ("DatabaseDefault", "Workspace id", "Locked by", "Created at") if text in page}


def test_a_variable_is_kept_sealed_and_never_shown(admin_client: Client) -> None:
    assert add(admin_client, sensitive="on") == 302
    row = Variable.objects.get()
    assert row.value() == "hunter2" and row.sensitive
    page = admin_client.get(f"{ADMIN}/variable/{row.pk}/change/")
    assert page.status_code == 200 and b"hunter2" not in page.content


def test_an_empty_value_keeps_the_stored_one(admin_client: Client) -> None:
    add(admin_client)
    row = Variable.objects.get()
    changed = {"key": "zone", "category": "terraform", "value": ""}
    assert admin_client.post(f"{ADMIN}/variable/{row.pk}/change/", changed).status_code == 302
    row = Variable.objects.get()
    assert (row.key, row.value()) == ("zone", "hunter2")


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "PATH", "category": "env"},
        {"key": "1a"},
        {"hcl": "on", "value": "[hunter2"},
        {"workspace": ""},
        {"category": "moon"},
    ],
)
def test_the_rules_of_variables_hold_here_too(admin_client: Client, fields: dict[str, str]) -> None:
    assert add(admin_client, **fields) == 200
    assert not Variable.objects.exists()


def test_sensitive_is_not_taken_back_without_a_value(admin_client: Client) -> None:
    add(admin_client, sensitive="on")
    row = Variable.objects.get()
    answer = admin_client.post(f"{ADMIN}/variable/{row.pk}/change/", {**NEW, "value": ""})
    assert answer.status_code == 200 and Variable.objects.get().sensitive


def test_versions_and_locks_are_read_only(admin_client: Client) -> None:
    workspace = factories.configured()
    states.store(workspace.pk, factories.state(1, note="hunter2"), person(factories.admin(), workspace.pk))
    states.lock(workspace.pk, "a", {"ID": "a"}, person(factories.admin(), workspace.pk))
    for model in (Configuration, StateVersion, StateLock):
        row = model._default_manager.get()
        base = f"{ADMIN}/{model._meta.model_name}"
        page = admin_client.get(f"{base}/{row.pk}/change/")
        assert page.status_code == 200 and b"hunter2" not in page.content
        for answer in (
            admin_client.post(f"{base}/{row.pk}/change/", {}),
            admin_client.post(f"{base}/{row.pk}/delete/", {"post": "yes"}),
            admin_client.get(f"{base}/add/"),
        ):
            assert answer.status_code == 403


def test_a_workspace_is_not_deleted_here(admin_client: Client) -> None:
    workspace = factories.workspace()
    assert admin_client.post(f"{ADMIN}/workspace/{workspace.pk}/delete/", {"post": "yes"}).status_code == 403


def test_unlocking_is_the_verb_that_everyone_calls(admin_client: Client) -> None:
    held = factories.workspace(locked_by="user:bob")
    busy = factories.workspace(locked_by="task:7")
    chosen = {"action": "unlock", "_selected_action": [held.pk, busy.pk]}
    answer = admin_client.post(f"{ADMIN}/workspace/", chosen, follow=True)
    assert b"needs attention" in answer.content
    held.refresh_from_db()
    busy.refresh_from_db()
    assert (held.is_locked, busy.is_locked) == (False, True)
