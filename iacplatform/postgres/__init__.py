"""The embedded PostgreSQL: a real server from a wheel's binaries, for platforms without a `DATABASE_URL`."""

from iacplatform.postgres.credentials import address
from iacplatform.postgres.errors import PostgresError
from iacplatform.postgres.launcher import Launcher

__all__ = ["Launcher", "PostgresError", "address"]
