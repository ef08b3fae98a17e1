"""What cannot be shown or done is said with what to do about it, on a page like any other."""

from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from pytest_django import Settings

from iacplatform.base import rights
from tests import factories as rows
from tests.console import pages
from tests.tasks import factories
from workspaces.models import Variable, Workspace

OTHER_KEY = f"other:{'2' * 64}"


@pytest.fixture
def sealed(db: Any) -> Workspace:
    """A workspace with a variable."""
    workspace = rows.configured()
    variable = Variable(workspace=workspace, key="region")
    variable.set_value("eu-1")
    variable.save()
    return workspace


def test_a_value_whose_key_is_missing_names_the_key_and_the_remedy(
    console: Client, sealed: Workspace, settings: Settings
) -> None:
    key = settings.ENCRYPTION_KEYS.partition(":")[0]
    settings.ENCRYPTION_KEYS = OTHER_KEY
    answer = console.get(f"/workspaces/{sealed.pk}/variables")
    assert answer.status_code == 500
    assert f"No key '{key}' is configured; add it to IACPLATFORM_ENCRYPTION_KEYS." in pages.text(answer)
    assert "manage.py doctor" in pages.text(answer)


def test_a_task_that_cannot_be_created_for_it_says_so_on_the_workspaces_page(
    console: Client, sealed: Workspace, settings: Settings
) -> None:
    settings.ENCRYPTION_KEYS = OTHER_KEY
    answer = console.post(f"/workspaces/{sealed.pk}/tasks", {"task_type": "plan", "description": "as agreed"})
    assert answer.status_code == 500
    assert "A stored value cannot be opened." in pages.text(answer)
    assert 'value="as agreed"' in answer.content.decode()


def test_a_plan_whose_key_is_missing_hides_neither_the_task_nor_its_buttons(
    console: Client, settings: Settings
) -> None:
    task = factories.awaiting_confirmation()
    settings.ENCRYPTION_KEYS = OTHER_KEY
    page = console.get(pages.address(task))
    assert page.status_code == 200
    assert "cannot be read" in pages.text(page)
    assert "discard" in pages.actions(page, task)


@pytest.mark.parametrize(
    "verb", ["cancel", "discard", "retry", "unlock", "force-cancel", "release-lock", "mark-failed"]
)
def test_a_verb_on_a_task_that_was_deleted_a_moment_ago_finds_nothing(console: Client, verb: str) -> None:
    task = factories.awaiting_confirmation()
    with patch("tasks.verbs.actions.demand", side_effect=lambda *_: delete(task.workspace)):
        answer = console.post(pages.address(task, verb), {"reason": "It is over."})
    assert (answer.status_code, "There is nothing here" in pages.text(answer)) == (404, True)


def delete(workspace: Workspace) -> None:
    """Delete the workspace with all that is in it, whatever stands there."""
    workspace.tasks.all().delete()
    workspace.delete()


@pytest.mark.parametrize("verb", ["lock", "unlock"])
def test_a_workspace_that_was_deleted_a_moment_ago_is_not_there(console: Client, verb: str) -> None:
    workspace = rows.workspace()
    with patch.object(rights, "demand", side_effect=lambda *_: workspace.delete()):
        answer = console.post(f"/workspaces/{workspace.pk}/{verb}", {"reason": "hands off"})
    assert answer.status_code == 404
