"""Several writes in one statement: all of them, or none where the first finds nothing to write."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from iacplatform.base import clock, writes
from iacplatform.base.writes import Write
from tests.tasks import factories
from workspaces.models import Configuration, StateLock, Workspace

pytestmark = pytest.mark.django_db


def renamed(workspace: Workspace, name: str, *, if_named: str = "") -> Write:
    return writes.update(Workspace.objects.filter(pk=workspace.pk, name=if_named or workspace.name), name=name)


def second_version(workspace: Workspace) -> Configuration:
    return Configuration(workspace=workspace, number=2, files={"main.tf": ""}, digest="1" * 64)


def test_all_of_them_are_one_statement() -> None:
    workspace, other = factories.workspace(), factories.workspace()
    unlocked = writes.delete(StateLock.objects.filter(workspace=workspace), then=int)

    with CaptureQueriesContext(connection) as made:
        written = writes.together(
            renamed(workspace, "new"),
            writes.insert(second_version(workspace)),
            writes.update(Workspace.objects.filter(pk=other.pk), plan_timeout_seconds=F("plan_timeout_seconds") + 1),
            unlocked,
        )

    assert (written, len(made)) == (1, 1)
    assert Workspace.objects.get(pk=workspace.pk).name == "new"
    assert Workspace.objects.get(pk=other.pk).plan_timeout_seconds == other.plan_timeout_seconds + 1
    assert Configuration.objects.newest_of(workspace) == workspace.configurations.get(number=2)


def test_where_the_first_finds_nothing_nothing_is_written() -> None:
    workspace = factories.workspace()
    StateLock.objects.create(workspace=workspace, lock_id="one", info={}, holder="user:ann")
    counts: list[int] = []

    written = writes.together(
        renamed(workspace, "new", if_named="another"),
        writes.insert(second_version(workspace)),
        writes.delete(StateLock.objects.filter(workspace=workspace), then=counts.append),
    )

    assert (written, counts) == (0, [0])
    assert not workspace.configurations.filter(number=2).exists()
    assert StateLock.objects.filter(workspace=workspace).exists()


def test_one_that_the_database_refuses_takes_the_others_with_it() -> None:
    workspace = factories.workspace()
    again = Configuration(workspace=workspace, number=1, files={}, digest="1" * 64)

    with pytest.raises(IntegrityError), transaction.atomic():
        writes.together(renamed(workspace, "new"), writes.insert(again))

    assert Workspace.objects.get(pk=workspace.pk).name == workspace.name


def test_each_is_told_how_many_rows_it_changed() -> None:
    workspace = factories.workspace()
    StateLock.objects.create(workspace=workspace, lock_id="one", info={}, holder="user:ann")
    counts: list[int] = []
    gone = writes.delete(StateLock.objects.filter(workspace=workspace), then=counts.append)

    writes.together(renamed(workspace, "new"), gone)
    writes.together(renamed(workspace, "newer", if_named="new"), gone)

    assert counts == [1, 0]


def test_a_new_row_shows_what_the_database_worked_out() -> None:
    made = Workspace(name="made", locked_by="user:ann", locked_at=clock.In(seconds=60))

    writes.together(writes.insert(made))

    stored = Workspace.objects.get(pk=made.pk)
    assert (made.locked_at, made.created_at) == (stored.locked_at, stored.created_at)
    made.description = "saved, not made again"
    made.save()
    assert Workspace.objects.get(pk=made.pk).description == made.description
