"""Names for things that people and machines refer to from outside."""

import re
import secrets
import string

ALPHABET = string.ascii_lowercase + string.digits

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,89}")
"""Names reach command lines, so they cannot start with a dash."""


def new(prefix: str, length: int) -> str:
    """Return `prefix` and `length` random lower-case letters and digits."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def workspace_id() -> str:
    """Return a new workspace id."""
    return new("ws-", 10)


def pool_id() -> str:
    """Return a new pool id."""
    return new("pool-", 16)


def agent_id() -> str:
    """Return a new agent id."""
    return new("agent-", 16)
