"""Variables at the console: changed like any form; what is sensitive is taken and never sent back."""

from typing import Any

import pytest
from django.test import Client

from tests import factories as rows
from tests.console import pages
from workspaces.models import Variable, Workspace


@pytest.fixture
def workspace(db: Any) -> Workspace:
    """A workspace without variables."""
    return rows.workspace(name="web")


def test_variables_are_added_changed_and_deleted(console: Client, workspace: Workspace) -> None:
    address = f"/workspaces/{workspace.pk}/variables"
    console.post(address, {"key": "region", "value": "eu-1", "category": "terraform"})
    variable = Variable.objects.get()
    assert "region eu-1 terraform" in pages.text(console.get(address))
    console.post(f"{address}/{variable.pk}", {"key": "region", "value": "eu-2", "category": "terraform"})
    assert Variable.objects.get().value() == "eu-2"
    console.post(f"{address}/{variable.pk}/delete")
    assert not Variable.objects.exists()


def test_a_sensitive_value_is_never_sent_back(console: Client, workspace: Workspace) -> None:
    address = f"/workspaces/{workspace.pk}/variables"
    secret = {"key": "token", "value": "hunter2-hunter2", "category": "env", "sensitive": "on"}
    refused = console.post(address, {**secret, "key": "1x"})
    assert (refused.status_code, "hunter2" in refused.content.decode()) == (400, False)
    console.post(address, secret)
    variable = Variable.objects.get()
    for page in (address, f"{address}/{variable.pk}"):
        assert "hunter2" not in console.get(page).content.decode()
    assert "sensitive, not shown" in pages.text(console.get(address))


def test_a_sensitive_value_that_is_left_empty_stays(console: Client, workspace: Workspace) -> None:
    address = f"/workspaces/{workspace.pk}/variables"
    console.post(address, {"key": "token", "value": "hunter2-hunter2", "category": "env", "sensitive": "on"})
    variable = Variable.objects.get()
    console.post(f"{address}/{variable.pk}", {"key": "secret", "value": "", "category": "env", "sensitive": "on"})
    changed = Variable.objects.get()
    assert (changed.key, changed.value()) == ("secret", "hunter2-hunter2")


def test_unveiling_a_sensitive_value_needs_a_new_one(console: Client, workspace: Workspace) -> None:
    address = f"/workspaces/{workspace.pk}/variables"
    console.post(address, {"key": "token", "value": "hunter2-hunter2", "category": "env", "sensitive": "on"})
    variable = Variable.objects.get()
    answer = console.post(f"{address}/{variable.pk}", {"key": "token", "value": "", "category": "env"})
    assert (answer.status_code, "hunter2" in answer.content.decode()) == (400, False)
    assert "never shown again" in pages.text(answer)


def test_the_same_key_twice_is_refused_in_words(console: Client, workspace: Workspace) -> None:
    address = f"/workspaces/{workspace.pk}/variables"
    fields = {"key": "region", "value": "eu-1", "category": "terraform"}
    console.post(address, fields)
    answer = console.post(address, fields)
    assert (answer.status_code, "already exists" in pages.text(answer)) == (400, True)
