"""Addresses of servers that the environment names: well formed, or the process ends with a sentence.

Settings load before anything else, so nobody could show a fault any better. An address holds a password and is never
repeated.
"""

from urllib.parse import SplitResult, urlsplit

DATABASE = "DATABASE_URL has to be postgresql://user:password@host:5432/name: PostgreSQL, no other database."
REDIS = "REDIS_URL has to be redis://host:6379/0, rediss://… for TLS, or unix:///path/to/socket."

_REFUSED_SIGNS = set(" \t\r\n\0")


def database(given: str) -> str:
    """Return the address of a PostgreSQL database as it was given; exit where it is none."""
    parts = _parts(given, DATABASE)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise _exit(DATABASE)
    return given


def redis(given: str) -> str:
    """Return the address of a Redis server as it was given; exit where it is none."""
    parts = _parts(given, REDIS)
    number = parts.path.strip("/")
    is_socket = parts.scheme == "unix" and bool(number)
    is_host = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and (number.isdecimal() or not number)
    if not (is_socket or is_host):
        raise _exit(REDIS)
    return given


def _parts(given: str, sentence: str) -> SplitResult:
    if _REFUSED_SIGNS & set(given):
        raise _exit(sentence)
    try:
        parts = urlsplit(given)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        raise _exit(sentence) from None
    return parts


def _exit(sentence: str) -> SystemExit:
    return SystemExit(f"{sentence} See docs/scaling-out.md.")
