"""Bearer tokens of machines: shown once, kept as SHA-256."""

import base64
import hashlib
import secrets

from iacplatform.base import encryption


def new(prefix: str) -> str:
    """Return a new token text with 256 random bits; the prefix lets secret scanners find it."""
    return prefix + secrets.token_urlsafe(32)


def derived(prefix: str, owner: str) -> list[str]:
    """Return the token text of this owner, e.g. `pod:<uid>`, that each encryption key leads to, the newest key first.

    Whoever was interrupted while giving one can go on, also when a key came meanwhile.
    """
    secret = encryption.derive(f"token {owner}")
    return [prefix + base64.urlsafe_b64encode(each).decode().rstrip("=") for each in secret]


def digest(token: str) -> str:
    """Return the SHA-256 (hex) under which a token is kept. A token is random, so it needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
