"""Bearer tokens of machines: shown once, kept as SHA-256."""

import hashlib
import secrets


def new(prefix: str) -> str:
    """Return a new token text with 256 random bits; the prefix lets secret scanners find it."""
    return prefix + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return the SHA-256 (hex) under which a token is kept. A token is random, so it needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
