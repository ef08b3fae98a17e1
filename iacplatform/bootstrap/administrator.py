"""The user `admin`, and the API token that the environment may give it."""

import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS

from iacplatform.bootstrap import files

NAME = "admin"
PASSWORD_BYTES = 18
"""24 characters, 144 bits."""


def ensure(password: str) -> str | None:
    """Make the user if it is absent, and give it `password` unless that is empty.

    Returns the password when one had to be generated, which happens only when the user is new; else None.
    """
    user = get_user_model().objects.filter(username=NAME).first()
    if user is None:
        return _create(password)
    if password and not user.check_password(password):
        user.set_password(password)
        user.save()
    return None


def ensure_token(text: str, note: Path) -> None:
    """Let `text` be an API token of the user, for ever; the one that was given before ends.

    `note`: a file that keeps the hash of the token given, so that the next one is known to replace it.
    """
    digest = hash_token(text)
    before = files.read(note)
    if before and before != digest:
        AuthToken.objects.filter(digest=before).delete()
    facts = {"token_key": text[: CONSTANTS.TOKEN_KEY_LENGTH], "user": _administrator(), "expiry": None}
    AuthToken.objects.update_or_create(digest=digest, defaults=facts)
    files.write(note, digest)


def _create(password: str) -> str | None:
    generated = None if password else secrets.token_urlsafe(PASSWORD_BYTES)
    get_user_model().objects.create_superuser(NAME, password=password or generated)
    return generated


def _administrator() -> AbstractUser:
    return get_user_model().objects.get(username=NAME)
