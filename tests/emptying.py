"""A pytest plugin: what a transactional test left in the database is gone before the next one, within milliseconds.

Django's own `flush` takes 100 to 300 ms, mostly for permissions and content types that it makes again. Here these stay,
as does whatever a migration wrote; every other row goes, the clock stands at the present, the pool `local` is as new.
"""

from collections.abc import Iterator
from functools import cache

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

from pools.models import LOCAL, Pool

KEPT = {"django_migrations", "django_content_type", "auth_permission", Pool._meta.db_table}


@pytest.fixture(autouse=True, scope="session")
def _quick_emptying() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty())
        yield


def empty() -> None:
    """Delete every row that no migration wrote."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_deletions())
        cursor.execute("DELETE FROM pools_pool WHERE name <> %s", [LOCAL])
        Pool.objects.filter(name=LOCAL).update(**_defaults())


@cache
def _deletions() -> str:
    """Return one text, for one journey to the server; foreign keys are checked at the commit, so any order will do."""
    tables = sorted(set(connection.introspection.django_table_names(include_views=False)) - KEPT)
    deletions = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables]
    return "; ".join([*deletions, "UPDATE base_clock SET ahead = '0' WHERE ahead <> '0'"])


def _defaults() -> dict[str, object]:
    columns = (field for field in Pool._meta.concrete_fields if not field.primary_key and field.name != "name")
    return {field.attname: field.get_default() for field in columns if field.name != "created_at"}
