"""django-q2 forks its workers: a child must not speak over its parent's connection to the database."""

import os

import pytest
from django.db import connection


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _backend_of_a_child() -> int:
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writable, str(_backend()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return int(os.read(readable, 20))


@pytest.mark.django_db(transaction=True)
def test_a_forked_child_has_a_connection_of_its_own() -> None:
    of_parent = _backend()
    connection.close()
    assert _backend_of_a_child() != of_parent
