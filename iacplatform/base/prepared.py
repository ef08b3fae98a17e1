"""Queries that are worked out once and asked often.

Django builds and compiles a query anew each time that it is asked, and for one of many parts that costs several times
what its answer does. Kept here is what Django made of it: the statement, and how its answer is read.
"""

from collections.abc import Callable
from copy import copy
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Generic, Self, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BigIntegerField, CharField, Expression, Field, Model, QuerySet
from django.db.models.query import ModelIterable

Row = TypeVar("Row", bound=Model)


class Given(Expression):
    """A value in a prepared query that becomes known when the query is asked, under this name."""

    def __init__(self, name: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    @classmethod
    def text(cls, name: str) -> Self:
        """Return the place of a text."""
        return cls(name, CharField())

    @classmethod
    def number(cls, name: str) -> Self:
        """Return the place of a whole number."""
        return cls(name, BigIntegerField())

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return its place in the statement, and itself as the parameter that is to be replaced."""
        return "%s", (self,)


class Prepared(Generic[Row]):
    """A query of whole rows, with what is selected and annotated with them, and nothing prefetched.

    `build` returns it, with `Given` for each value that is not always the same. Values go to the database as they are
    given: texts and whole numbers.
    """

    def __init__(self, build: Callable[[], QuerySet[Row]]) -> None:
        self._build = build

    def all(self, **given: Any) -> list[Row]:
        """Return the rows for these values."""
        query = SimpleNamespace(get_compiler=lambda using: self._compiler(using, given))
        asked: Any = SimpleNamespace(db=DEFAULT_DB_ALIAS, query=query, _known_related_objects={})
        return list(ModelIterable(asked))

    def first(self, **given: Any) -> Row | None:
        """Return the first row for these values, where there is one."""
        return next(iter(self.all(**given)), None)

    @cached_property
    def _compiled(self) -> tuple[Any, str, tuple[Any, ...]]:
        compiler = self._build().query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        return compiler, sql, tuple(params)

    def _compiler(self, using: str, given: dict[str, Any]) -> Any:
        """Return what asks the query with these values over the connection of this thread."""
        known, sql, params = self._compiled
        filled = tuple(given[each.name] if isinstance(each, Given) else each for each in params)
        compiler = copy(known)
        compiler.connection, compiler.as_sql = connections[using], lambda: (sql, filled)
        return compiler
