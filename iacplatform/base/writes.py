"""Writes that stand or fall together, in one statement: what goes along with a write costs no round of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import Field, Model, QuerySet
from django.db.models.expressions import DatabaseDefault
from django.db.models.sql import DeleteQuery, InsertQuery, UpdateQuery

Count = int

_INSERT = "INSERT INTO {} ({}) SELECT {}"
_ALL = "WITH {} SELECT {}"
_PART = "w{number} AS ({sql} RETURNING 1)"
_COUNT = "(SELECT count(*) FROM w{number})"


@dataclass(frozen=True, kw_only=True)
class Write:
    """One write, ready for the database. `joint`: what a further condition follows upon.

    `then`: is told how many rows it changed, within the transaction.
    """

    sql: str
    params: tuple[Any, ...]
    joint: str = "AND"
    then: Callable[[Count], object] = int


def update(rows: QuerySet[Any], **columns: Any) -> Write:
    """Return the write of these columns in `rows`, which are narrowed by one condition at least."""
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_values(columns)
    return Write(**_compiled(query))


def delete(rows: QuerySet[Any], *, then: Callable[[Count], object]) -> Write:
    """Return the write that deletes `rows`, upon which nothing depends; they are narrowed by one condition at least."""
    return Write(**_compiled(rows.query.chain(DeleteQuery)), then=then)


def insert(row: Model) -> Write:
    """Return the write of a new row. What the database fills in, `row` shows when it is asked, if its key is known."""
    fields = [field for field in row._meta.concrete_fields if not _is_left_to_database(field, row)]
    values = _values(fields, row)
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    sql = _INSERT.format(connection.ops.quote_name(row._meta.db_table), names, ", ".join(sql for sql, _ in values))
    params = tuple(chain.from_iterable(params for _, params in values))
    return Write(sql=sql, params=params, joint="WHERE", then=partial(_kept, row))


def together(first: Write, *others: Write) -> Count:
    """Write all of it in one statement, and return how many rows the first changed; where none, nothing is written."""
    parts = [first.sql, *(f"{other.sql} {other.joint} EXISTS (SELECT FROM w0)" for other in others)]
    written = ", ".join(_PART.format(number=number, sql=part) for number, part in enumerate(parts))
    counts = ", ".join(_COUNT.format(number=number) for number in range(len(parts)))
    with connection.cursor() as cursor:
        cursor.execute(_ALL.format(written, counts), [value for each in (first, *others) for value in each.params])
        counted = cursor.fetchone()
    for each, count in zip((first, *others), counted, strict=True):
        each.then(count)
    return Count(counted[0])


def _compiled(query: Any) -> dict[str, Any]:
    sql, params = query.get_compiler(connection=connection).as_sql()
    return {"sql": sql, "params": params}


def _is_left_to_database(field: "Field[Any, Any]", row: Model) -> bool:
    value = row.__dict__.get(field.attname)
    return isinstance(value, DatabaseDefault) or (field.primary_key and value is None)


def _values(fields: Sequence["Field[Any, Any]"], row: Model) -> list[tuple[str, Sequence[Any]]]:
    """Return of each column how its value stands in the statement, and the parameters there."""
    query = InsertQuery(type(row))
    query.insert_values(fields, [row])
    compiler: Any = query.get_compiler(connection=connection)
    given = [compiler.prepare_value(field, compiler.pre_save_val(field, row)) for field in fields]
    return [compiler.compile(value) if hasattr(value, "as_sql") else ("%s", [value]) for value in given]


def _kept(row: Model, count: Count) -> None:
    """Let a row that was written show what is stored: what the database worked out is read when somebody asks."""
    if count:
        row._state.adding, row._state.db = False, connection.alias
        for name in [name for name, value in row.__dict__.items() if hasattr(value, "resolve_expression")]:
            del row.__dict__[name]
