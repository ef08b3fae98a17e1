"""Which state may follow which: by serial, lineage and content; and what is no state at all."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from iacplatform.base.problems import Forbidden, Invalid
from tests import factories
from workspaces import states
from workspaces.errors import StateRefused
from workspaces.holders import Holder
from workspaces.models import StateVersion, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    """A workspace without a state."""
    return factories.workspace()


def holder(workspace: Workspace) -> Holder:
    """Return a person with all rights."""
    return Holder(name="user:ann", workspace_id=workspace.pk, may_read=True, may_write=True, may_lock=True)


def push(workspace: Workspace, content: bytes) -> StateVersion:
    """Return the stored version."""
    return states.store(workspace.pk, content, holder(workspace))


def test_a_state_is_stored_sealed_and_read_back(workspace: Workspace) -> None:
    content = factories.state(3, resources=2)
    row = push(workspace, content)
    assert (row.serial, row.lineage, row.resources, row.size, row.created_by) == (
        3,
        "lineage-1",
        2,
        len(content),
        "user:ann",
    )
    assert b"terraform_data" not in bytes(row.sealed_content)
    read = states.newest(workspace.pk, holder(workspace))
    assert read is not None and read.content() == content


def test_a_higher_serial_follows_and_gaps_are_fine(workspace: Workspace) -> None:
    assert [push(workspace, factories.state(serial)).serial for serial in (1, 2, 7)] == [1, 2, 7]


def test_an_answer_that_was_lost_is_given_again(workspace: Workspace) -> None:
    first = push(workspace, factories.state(1))
    push(workspace, factories.state(2))
    assert push(workspace, factories.state(1)).pk == first.pk
    assert StateVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (factories.state(5, note="other"), "another content"),
        (factories.state(4), "older"),
        (factories.state(6, lineage="lineage-2"), "lineage"),
    ],
)
def test_what_does_not_follow_is_refused(workspace: Workspace, content: bytes, says: str) -> None:
    push(workspace, factories.state(5))
    with pytest.raises(StateRefused, match=says):
        push(workspace, content)
    assert StateVersion.objects.count() == 1


def _without(name: str) -> bytes:
    whole: dict[str, Any] = json.loads(factories.state(1))
    return json.dumps({key: value for key, value in whole.items() if key != name}).encode()


def _with(**members: Any) -> bytes:
    return json.dumps({**json.loads(factories.state(1)), **members}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        _without("version"),
        _without("serial"),
        _without("lineage"),
        _with(version=3),
        _with(version=True),
        _with(serial=-1),
        _with(serial="1"),
        _with(serial=1.5),
        _with(serial=2**63),
        _with(lineage=""),
        _with(lineage="x" * 101),
        _with(lineage="a\0b"),
        _with(lineage=5),
    ],
)
def test_what_is_no_state_is_refused(workspace: Workspace, content: bytes) -> None:
    with pytest.raises(Invalid):
        push(workspace, content)


@pytest.mark.parametrize("resources", [None, "x", [1], [{"mode": "data", "instances": [1]}], [{"mode": "managed"}]])
def test_odd_resources_count_for_none(workspace: Workspace, resources: Any) -> None:
    assert push(workspace, _with(resources=resources)).resources == 0


def test_an_earlier_content_becomes_the_newest(workspace: Workspace) -> None:
    first = push(workspace, factories.state(1, note="first"))
    push(workspace, factories.state(4, note="second"))
    row = states.roll_back(first, holder(workspace))
    assert (row.serial, row.lineage) == (5, "lineage-1")
    assert json.loads(row.content())["outputs"]["note"]["value"] == "first"


def test_a_version_never_changes(workspace: Workspace) -> None:
    push(workspace, factories.state(1))
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE workspaces_stateversion SET serial = 2")


def test_rights_are_asked(workspace: Workspace) -> None:
    nobody = Holder(name="user:eve", workspace_id=workspace.pk)
    for deed in (
        lambda: states.newest(workspace.pk, nobody),
        lambda: states.store(workspace.pk, factories.state(1), nobody),
        lambda: states.upload(workspace.pk, factories.state(1), nobody),
        lambda: states.lock(workspace.pk, "a", {}, nobody),
        lambda: states.unlock(workspace.pk, "a", nobody),
    ):
        with pytest.raises(Forbidden):
            deed()


@pytest.mark.parametrize(
    "own",
    [
        '"attribute": 0.12345678901234567890123456789',
        '"resources": [{"serial": 1}], "note": "\\"serial\\": 1"',
        '"outputs" : { } , "ser\\u0069al" : 1',
    ],
)
def test_rolling_back_changes_the_serial_and_nothing_else(workspace: Workspace, own: str) -> None:
    text = f'{{"version": 4, "lineage": "a", {own}, "serial": 1}}'
    row = push(workspace, text.encode())
    newest = states.roll_back(row, holder(workspace)).content().decode()
    assert newest == text.removesuffix("1}") + "2}"
