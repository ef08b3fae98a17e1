"""After a new key came: everything is sealed with it, one row at a time, and nothing is lost on the way."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError
from django.db.models import BinaryField
from pytest_django import Settings

from agents import rekeying
from agents.sealed import COLUMNS, Column
from iacplatform.base import encryption
from tasks.models import LogChunk, PlanPart, TaskInput
from tests import factories as rows
from tests.tasks import factories
from workspaces import states
from workspaces.models import ConfigurationPart, KeptState, StateVersion, Variable, Workspace
from workspaces.state_api import person

pytestmark = pytest.mark.django_db

OLD, NEW = f"old:{'1' * 64}", f"new:{'2' * 64}"
STATE = rows.state(1)


@pytest.fixture
def sealed_by_old(settings: Settings) -> None:
    """A row in each column, sealed with the old key; then the new key comes."""
    settings.ENCRYPTION_KEYS = OLD
    workspace = factories.workspace()
    new_variable(workspace)
    cluster = rows.k8s_config()
    owner = cluster.owner
    type(cluster).objects.filter(pk=cluster.pk).update(
        in_cluster=False, sealed_kubeconfig=encryption.seal(b"kubeconfig", owner)
    )
    task = factories.awaiting_confirmation(workspace=workspace)
    states.upload(workspace.pk, STATE, person(rows.admin(), workspace.pk))
    sealed = encryption.seal(STATE, KeptState.owner(workspace.pk, task.pk))
    facts = {"digest": "0" * 64, "size": 1, "serial": 1, "lineage": "x", "why": "Late.", "created_by": "task:1"}
    KeptState.objects.create(workspace=workspace, task_id=task.pk, epoch=1, sealed_content=sealed, **facts)
    settings.ENCRYPTION_KEYS = f"{NEW},{OLD}"


def new_variable(workspace: Workspace, value: str = "swordfish", key: str = "password") -> Variable:
    made = Variable(workspace=workspace, key=key)
    made.set_value(value)
    made.save()
    return made


def rekey() -> str:
    """Return what the command says."""
    said = StringIO()
    call_command("rekey", stdout=said, stderr=said)
    return said.getvalue()


def contents() -> list[object]:
    variable, state, part = Variable.objects.get(), StateVersion.objects.get(), PlanPart.objects.order_by("pk")
    kept = KeptState.objects.get().content()
    return [
        variable.value(),
        state.content(),
        kept,
        *[one.content() for one in part],
        TaskInput.objects.get().variables(),
    ]


def heads() -> dict[str, set[bytes]]:
    """Return the key ids that each column is sealed with."""
    return {
        str(column): {bytes(head).split(b".")[1] for head in column.rows().values_list("head", flat=True)}
        for column in COLUMNS
    }


@pytest.mark.usefixtures("sealed_by_old")
def test_everything_is_sealed_with_the_newest_key_and_reads_as_before(settings: Settings) -> None:
    before = contents()
    assert set(map(frozenset, heads().values())) == {frozenset({b"old"})}

    assert "Everything is sealed with the newest key" in rekey()

    settings.ENCRYPTION_KEYS = NEW
    assert set(map(frozenset, heads().values())) == {frozenset({b"new"})}
    assert contents() == before


def test_a_database_that_is_away_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_away(column: object) -> None:
        raise OperationalError

    monkeypatch.setattr(rekeying, "rekey", is_away)
    with pytest.raises(CommandError, match="does not answer") as left:
        call_command("rekey")
    assert left.value.returncode == 2


@pytest.mark.usefixtures("sealed_by_old")
def test_what_it_says_holds_no_value() -> None:
    said = rekey()
    assert "swordfish" not in said and "variable sealed_value: 1 sealed anew." in said


@pytest.mark.usefixtures("sealed_by_old")
def test_a_second_run_finds_nothing_to_do() -> None:
    rekey()
    before = Variable.objects.get().sealed_value
    assert "variable sealed_value: 0 sealed anew." in rekey()
    assert Variable.objects.get().sealed_value == before


@pytest.mark.usefixtures("sealed_by_old")
def test_a_run_that_was_interrupted_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    for number in range(4):
        settings.ENCRYPTION_KEYS = OLD
        new_variable(Workspace.objects.get(), key=f"key_{number}")
    settings.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    with monkeypatch.context() as patch:
        patch.setattr(encryption, "seal", failing_after(2, encryption.seal))
        with pytest.raises(KeyboardInterrupt):
            rekey()
    assert heads()["variable sealed_value"] == {b"old", b"new"}
    assert [row.value() for row in Variable.objects.all()] == ["swordfish"] * 5

    assert "variable sealed_value: 3 sealed anew." in rekey()
    assert heads()["variable sealed_value"] == {b"new"}


@pytest.mark.usefixtures("sealed_by_old")
def test_a_process_that_still_seals_with_the_older_key_is_told(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    rekey_column = rekeying.rekey

    def rekey_beside_another_process(column: Column) -> rekeying.Outcome:
        outcome = rekey_column(column)
        if column.model is Variable:
            settings.ENCRYPTION_KEYS = OLD
            new_variable(Workspace.objects.get(), key="late")
            settings.ENCRYPTION_KEYS = f"{NEW},{OLD}"
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(rekeying, "rekey", rekey_beside_another_process)
        with pytest.raises(SystemExit):
            rekey()
    assert "Everything is sealed" in rekey()


def failing_after(count: int, seal: Callable[[bytes, str], bytes]) -> Callable[[bytes, str], bytes]:
    """Return `seal` as somebody interrupts it after so many values."""
    left = iter(range(count))

    def sealing(plain: bytes, owner: str) -> bytes:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return seal(plain, owner)

    return sealing


@pytest.mark.usefixtures("sealed_by_old")
def test_what_needs_an_unknown_key_is_named_stays_and_keeps_nothing_else_from_the_new_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = f"lost:{'3' * 64}"
    lost = new_variable(Workspace.objects.get(), key="lost")
    settings.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    said = StringIO()

    with pytest.raises(SystemExit, match="1"):
        call_command("rekey", stdout=said, stderr=said)

    assert "No key 'lost' is configured" in said.getvalue() and "do not take any key away" in said.getvalue()
    assert heads()["variable sealed_value"] == {b"lost", b"new"}
    assert Variable.objects.get(pk=lost.pk).sealed_value == lost.sealed_value


@pytest.mark.usefixtures("sealed_by_old")
def test_with_a_wrong_key_of_the_same_name_nothing_is_overwritten(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = f"{NEW},old:{'9' * 64}"
    before = Variable.objects.get().sealed_value
    with pytest.raises(SystemExit):
        rekey()
    assert Variable.objects.get().sealed_value == before


@pytest.mark.usefixtures("sealed_by_old")
def test_a_value_that_was_written_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    seal = encryption.seal
    sealed_by_rekey: list[bytes] = []

    def write_first(plain: bytes, owner: str) -> bytes:
        if not sealed_by_rekey:
            sealed_by_rekey.append(plain)
            Variable.objects.update(sealed_value=seal(b"written meanwhile", owner))
        return seal(plain, owner)

    monkeypatch.setattr(encryption, "seal", write_first)
    rekeying.rekey(COLUMNS[0])
    assert sealed_by_rekey == [b"swordfish"]
    assert Variable.objects.get().value() == "written meanwhile"


def test_every_sealed_column_of_every_table_is_on_the_list() -> None:
    fields = [(model, field) for model in apps.get_models() for field in model._meta.concrete_fields]
    binary = {(model, field.name) for model, field in fields if isinstance(field, BinaryField)}
    # A log is masked before it comes, and configurations are no secrets, as texts or as archives.
    plain: set[Any] = {(LogChunk, "data"), (ConfigurationPart, "content")}
    assert {(column.model, column.name) for column in COLUMNS} == binary - plain
    assert plain < binary


@pytest.mark.usefixtures("sealed_by_old")
@pytest.mark.parametrize("model", [StateVersion, KeptState])
def test_all_else_of_a_version_still_stays_as_it_is(model: Any) -> None:
    with pytest.raises(DatabaseError, match="never changes"):
        model.objects.update(serial=7)
