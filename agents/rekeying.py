"""Sealing anew, with the newest key, what was sealed with an older one.

A row at a time and each by itself, so that it may be interrupted and run again, and beside everything else: a value is
only replaced where it still is the one that was read, and with both keys configured either one opens.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from agents.sealed import Column
from iacplatform.base import encryption
from iacplatform.base.encryption import Unreadable

_BATCH = 500


@dataclass
class Outcome:
    """What became of a column: how many values were `sealed_anew`, and why how many could not be (`unreadable`)."""

    sealed_anew: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)


def rekey(column: Column) -> Outcome:
    """Seal every value of the column with the newest key. A value that does not open stays as it is."""
    outcome = Outcome()
    for pk in _older(column):
        try:
            outcome.sealed_anew += _seal_anew(column, pk)
        except Unreadable as error:
            outcome.unreadable[str(error)] += 1
    return outcome


def _older(column: Column) -> Iterator[Any]:
    rows = column.older().order_by("pk").values_list("pk", flat=True)
    batch = list(rows[:_BATCH])
    while batch:
        yield from batch
        batch = list(rows.filter(pk__gt=batch[-1])[:_BATCH])


def _seal_anew(column: Column, pk: Any) -> bool:
    """Return whether it was done here; a value that was replaced meanwhile is read again."""
    while (row := column.older().filter(pk=pk).first()) is not None:
        sealed, owner = getattr(row, column.name), column.owner(row)
        anew = encryption.seal(encryption.unseal(sealed, owner), owner)
        if column.model._default_manager.filter(pk=pk, **{column.name: sealed}).update(**{column.name: anew}):
            return True
    return False
