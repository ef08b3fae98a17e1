"""Is the server of DATABASE_URL there? Asked once before anything is started, for an answer in one line."""

from collections.abc import Mapping
from typing import Any

import psycopg

from iacplatform.supervisor.errors import DatabaseUnreachable

PATIENCE_SECONDS = 5


def refuse_unreachable(parameters: Mapping[str, Any]) -> None:
    """Raise DatabaseUnreachable unless a server lets us in; `parameters` are libpq's, with the password."""
    try:
        psycopg.connect(**{**parameters, "connect_timeout": PATIENCE_SECONDS}).close()
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(_where(parameters), _reason(error)) from error


def _where(parameters: Mapping[str, Any]) -> str:
    host, port = parameters.get("host") or "the local socket", parameters.get("port") or 5432
    return f"{parameters.get('dbname')} at {host}:{port}"


def _reason(error: psycopg.OperationalError) -> str:
    # libpq tells each address that it tried in a line of its own.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else "no reason given"
