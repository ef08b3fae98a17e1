"""A task runs what was there when it was made: configuration and variables do not change under it."""

import json

import pytest

from tasks import creation
from tasks.errors import NoConfiguration
from tests.tasks import factories
from workspaces.models import Category, Configuration, Variable, Workspace

pytestmark = pytest.mark.django_db


def set_variable(workspace: Workspace, key: str, value: str, *, sensitive: bool = False) -> None:
    row = Variable.objects.filter(workspace=workspace, key=key).first() or Variable(workspace=workspace, key=key)
    row.category, row.sensitive = Category.TERRAFORM, sensitive
    row.set_value(value)
    row.save()


def test_a_newer_configuration_does_not_reach_a_task_that_is_there() -> None:
    task = factories.pending()
    Configuration.objects.create(workspace=task.workspace, number=2, files={"main.tf": ""}, digest="1" * 64)
    assert factories.reread(task).configuration.number == 1
    assert factories.pending(workspace=task.workspace).configuration.number == 2


def test_variables_keep_the_values_that_they_had() -> None:
    workspace = factories.workspace()
    set_variable(workspace, "region", "eu")
    set_variable(workspace, "password", "hunter2", sensitive=True)
    task = factories.pending(workspace=workspace)

    set_variable(workspace, "region", "us")
    Variable.objects.filter(key="password").delete()
    set_variable(workspace, "late", "comer")

    values = {row["key"]: row["value"] for row in json.loads(factories.reread(task).input.variables())}
    assert values == {"region": "eu", "password": "hunter2"}


def test_frozen_values_are_sealed_for_this_task_alone() -> None:
    workspace = factories.workspace()
    set_variable(workspace, "password", "hunter2", sensitive=True)
    task = factories.pending(workspace=workspace)
    assert b"hunter2" not in bytes(task.input.sealed_variables)


def test_without_a_configuration_there_is_nothing_to_run() -> None:
    empty = Workspace.objects.create(name="empty")
    with pytest.raises(NoConfiguration, match="Upload one first"):
        creation.create(empty, task_type="plan", by=factories.person())
