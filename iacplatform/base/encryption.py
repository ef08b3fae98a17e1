"""Secrets at rest: AES-256-GCM with the owner bound in, so that a ciphertext moved to another row does not open.

A sealed value is `iac1.<key id>.` followed by 12 bytes of nonce and the ciphertext. The key id says which key of
`settings.ENCRYPTION_KEYS` opens it; the first of them seals. Old keys stay listed until nothing is sealed with them.
"""

import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

FORMAT = b"iac1"
NONCE_BYTES = 12
HEAD_BYTES = 64
"""Of a sealed value; the key id is within them."""


class Unreadable(Exception):
    """The value was sealed with a key that is not configured, for another owner, or it is damaged."""


def seal(plain: bytes, owner: str) -> bytes:
    """Return `plain` encrypted with the newest key for `owner`, e.g. `variable:12`."""
    nonce = os.urandom(NONCE_BYTES)
    cipher = _ciphers(settings.ENCRYPTION_KEYS)[_newest_key()]
    return newest_head() + nonce + cipher.encrypt(nonce, plain, owner.encode())


def newest_head() -> bytes:
    """Return how everything begins that is sealed with the newest key."""
    return b".".join((FORMAT, _newest_key().encode(), b""))


def unseal(sealed: bytes | memoryview, owner: str) -> bytes:
    """Return what was sealed for `owner`, or raise `Unreadable`; the message names the key id, never the content."""
    form, _, rest = bytes(sealed).partition(b".")
    head, _, body = rest.partition(b".")
    key_id = head.decode(errors="replace")
    cipher = _ciphers(settings.ENCRYPTION_KEYS).get(key_id)
    if form != FORMAT or cipher is None:
        raise Unreadable(f"No key {key_id[:16]!r} is configured; add it to IACPLATFORM_ENCRYPTION_KEYS.")
    try:
        return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], owner.encode())
    except (InvalidTag, ValueError) as error:
        raise Unreadable(f"The value sealed with key {key_id!r} does not belong to {owner}, or is damaged.") from error


def derive(purpose: str) -> list[bytes]:
    """Return for each key, the newest first, 32 secret bytes that are the same each time for this purpose."""
    info = b"iac1 derive " + purpose.encode()
    keys = _keys(settings.ENCRYPTION_KEYS).values()
    return [HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(key) for key in keys]


def missing_key(sealed: bytes | memoryview) -> str:
    """Return the id of the key that a sealed value needs and that is not configured, or an empty text."""
    key_id = bytes(sealed).partition(b".")[2].partition(b".")[0].decode(errors="replace")
    return "" if key_id in _ciphers(settings.ENCRYPTION_KEYS) else key_id


def _newest_key() -> str:
    return next(iter(_ciphers(settings.ENCRYPTION_KEYS)))


@cache
def _ciphers(keys: str) -> dict[str, AESGCM]:
    return {key_id: AESGCM(key) for key_id, key in _keys(keys).items()}


def _keys(keys: str) -> dict[str, bytes]:
    pairs = (pair.strip().partition(":") for pair in keys.split(","))
    return {key_id: bytes.fromhex(key) for key_id, _, key in pairs}
