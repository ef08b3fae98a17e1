import os
from contextlib import suppress

from django.apps import AppConfig
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper


class BaseConfig(AppConfig):
    name = "iacplatform.base"
    label = "base"

    def ready(self) -> None:
        """See to it that a forked child opens connections of its own."""
        os.register_at_fork(before=_close_connections)


def _close_connections() -> None:
    # django-q2 forks its workers and closes connections, but not the pool that they came from: two processes would
    # then speak over one socket.
    for connection in connections.all(initialized_only=True):
        if isinstance(connection, DatabaseWrapper) and not connection.in_atomic_block:
            # In a thread that runs an event loop Django lets nobody use a connection, so a child cannot either.
            with suppress(SynchronousOnlyOperation):
                connection.close()
                connection.close_pool()
