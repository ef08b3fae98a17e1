"""What a step of a session touches, so that two steps of which neither could notice the other need no second order.

Read from the statement's text, a whole table at a time, and wider than the truth where in doubt. PostgreSQL at READ
COMMITTED gives the rules: a plain SELECT neither waits nor is waited for, and of another session it sees only what was
committed; whatever locks rows may wait for whoever locks rows of the same table, and goes on when that one's
transaction ends; a commit shows what was written, lets go of what was locked, and looks at the rows to which its
foreign keys point, which are checked no earlier.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey

Names = frozenset[str]
NONE: Names = frozenset()

_QUOTED = re.compile(r'"(\w+)"')
_WRITES = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
_LOCKS_ROWS = re.compile(r"FOR (?:NO KEY )?(?:UPDATE|SHARE)(?: OF ((?:\"\w+\"(?:, )?)+))?")
_WITHIN_A_SESSION = ("SAVEPOINT", "RELEASE SAVEPOINT", "SET ")


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Tables and advisory locks: whose committed rows a step `sees`, which it `locks` or waits for, which it `shows`
    to others from now on, and of which it `frees` the locks."""

    sees: Names = NONE
    locks: Names = NONE
    shows: Names = NONE
    frees: Names = NONE

    def commutes_with(self, other: "Footprint") -> bool:
        """Return whether the two steps do the same in either order."""
        return not (self._disturbs(other) or other._disturbs(self))

    def _disturbs(self, other: "Footprint") -> bool:
        return bool(self.shows & other.sees or self.locks & other.locks or self.frees & other.locks)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a statement's text says. `checks`: tables at which the commit after it looks, for foreign keys."""

    sees: Names = NONE
    locks: Names = NONE
    writes: Names = NONE
    checks: Names = NONE
    is_rollback: bool = False

    @property
    def alone(self) -> Footprint:
        """Its footprint where it is a transaction of its own."""
        looks = self.locks | self.checks
        return Footprint(sees=self.sees | self.checks, locks=looks, shows=self.writes, frees=looks)


@dataclass
class Transaction:
    """What the open transaction of a session has touched so far."""

    locks: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)

    def add(self, statement: Statement) -> None:
        """Take a statement in."""
        self.locks |= statement.locks
        self.writes |= statement.writes
        self.checks |= statement.checks

    @property
    def commit(self) -> Footprint:
        """What its commit touches; a rollback to a savepoint is taken for as much."""
        looks = frozenset(self.checks)
        return Footprint(sees=looks, locks=looks, shows=frozenset(self.writes), frees=frozenset(self.locks))


def of(sql: str, params: Sequence[Any] | None) -> Statement:
    """Return what a statement touches."""
    if "pg_advisory" in sql or "pg_try_advisory" in sql:
        return Statement(locks=frozenset(f"advisory {key}" for key in _keys_of(params or ())))
    return _of_text(sql)


def _keys_of(params: Sequence[Any]) -> Iterator[Any]:
    for param in params:
        yield from param if isinstance(param, list) else [param]


@cache
def _of_text(sql: str) -> Statement:
    if sql.startswith("ROLLBACK TO SAVEPOINT"):
        return Statement(is_rollback=True)
    tables = frozenset(_QUOTED.findall(sql)) & _tables().keys()
    if sql.startswith(_WITHIN_A_SESSION) or not tables:
        return Statement()
    if written := _WRITES.findall(sql):
        writes = frozenset(table for _, table in written)
        checks = frozenset[str]().union(*(_checked(verb, table, sql) for verb, table in written))
        return Statement(sees=tables, locks=writes, writes=writes, checks=checks)
    assert sql.startswith("SELECT"), f"no rule says what this touches: {sql}"
    return Statement(sees=tables, locks=_locked(sql, tables))


def _locked(sql: str, tables: Names) -> Names:
    found = _LOCKS_ROWS.search(sql)
    if found is None:
        return NONE
    named = frozenset(_QUOTED.findall(found[1] or ""))
    return named if named and named <= tables else tables


def _checked(verb: str, table: str, sql: str) -> Names:
    """Return the tables whose rows the foreign keys of a written row, or to a deleted one, name."""
    if verb == "DELETE FROM":
        return frozenset(child for child, keys in _tables().items() if table in keys.values())
    keys = _tables()[table]
    return frozenset(parent for column, parent in keys.items() if verb == "INSERT INTO" or f'"{column}" =' in sql)


@cache
def _tables() -> dict[str, dict[str, str]]:
    """Return every table, with the tables to which its columns point."""
    return {model._meta.db_table: _keys(model) for model in apps.get_models(include_auto_created=True)}


def _keys(model: Any) -> dict[str, str]:
    keys = (each for each in model._meta.concrete_fields if isinstance(each, ForeignKey))
    return {each.column: each.related_model._meta.db_table for each in keys}
