"""A new encryption key while people read and write what is sealed, in every order of the statements."""

from typing import Any

import pytest
from pytest_django import Settings

from agents import rekeying
from agents.sealed import COLUMNS, Column
from iacplatform.base import encryption
from tests.races.pairs import every_order, word
from tests.tasks import factories
from workspaces.models import Variable

pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = f"old:{'1' * 64}", f"new:{'2' * 64}"
VARIABLES = next(column for column in COLUMNS if column.model is Variable)


@pytest.fixture
def variable(settings: Settings) -> Variable:
    """Return a variable that is sealed with the old key; the new one has come."""
    settings.ENCRYPTION_KEYS = OLD
    made = Variable(workspace=factories.workspace(), key="password")
    made.set_value("first")
    made.save()
    settings.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    return made


def rekey() -> int:
    return rekeying.rekey(VARIABLES).sealed_anew


def write(variable: Variable, value: str) -> None:
    row = Variable.objects.get(pk=variable.pk)
    row.set_value(value)
    row.save()


def now(variable: Variable) -> tuple[str, bytes]:
    """Return the variable's value, and the key that it is sealed with."""
    row = Variable.objects.get(pk=variable.pk)
    return row.value(), bytes(row.sealed_value).split(b".")[1]


def test_rekey_and_read_always_read_the_value(variable: Variable) -> None:
    found = every_order(
        lambda rekey, read: (rekey, word(read), now(variable)),
        rekey=rekey,
        read=lambda: Variable.objects.get(pk=variable.pk).value(),
    )
    found.demand((1, "first", ("first", b"new")))


def test_rekey_and_write_always_keep_what_was_written(variable: Variable) -> None:
    found = every_order(
        lambda rekey, write: (rekey, word(write), now(variable)),
        rekey=rekey,
        write=lambda: write(variable, "second"),
    )
    found.demand((1, None, ("second", b"new")), (0, None, ("second", b"new")))


def test_rekey_and_a_write_of_a_process_without_the_new_key_lose_nothing(variable: Variable) -> None:
    by_old = sealed_by_old(variable, "second")

    found = every_order(
        lambda rekey, write: (rekey, word(write), now(variable)[0]),
        rekey=rekey,
        write=lambda: Variable.objects.filter(pk=variable.pk).update(sealed_value=by_old),
    )
    found.demand((1, 1, "second"))


def sealed_by_old(variable: Variable, value: str) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.ENCRYPTION_KEYS", OLD)
        return encryption.seal(value.encode(), variable.owner)


def test_rekey_and_rekey_seal_each_value_once(variable: Variable) -> None:
    found = every_order(lambda one, two: (one, two, now(variable)), one=rekey, two=rekey)
    found.demand((1, 0, ("first", b"new")), (0, 1, ("first", b"new")))


def test_without_a_look_at_the_old_value_an_order_is_found_that_loses_what_was_written(
    variable: Variable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rekeying, "_seal_anew", seal_unseen)
    found = every_order(lambda **_: now(variable)[0], rekey=rekey, write=lambda: write(variable, "second"))
    assert found.outcomes["first"] > 0


def seal_unseen(column: Column, pk: Any) -> bool:
    row = Variable.objects.get(pk=pk)
    anew = encryption.seal(encryption.unseal(row.sealed_value, row.owner), row.owner)
    return bool(Variable.objects.filter(pk=pk).update(sealed_value=anew))
