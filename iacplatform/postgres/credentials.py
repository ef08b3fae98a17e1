"""The password of the role `iacplatform`, and the address that carries it."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from iacplatform.postgres.errors import UnusableFolder
from iacplatform.postgres.place import PORT, Place, place_of

ROLE = "iacplatform"
"""Name of the role and of its database."""


def address(home: Path) -> str:
    """Return the DATABASE_URL of the home's server, running or not.

    The first call makes the password; two processes at once agree on one.
    `requirepeer` makes the client refuse a server of any other account in the place of ours.
    """
    place = place_of(home)
    try:
        secret = password(place)
    except OSError as error:
        raise UnusableFolder(home, error) from error
    options = f"host={quote(str(place.sockets))}&port={PORT}&requirepeer={quote(place.account.name)}"
    return f"postgresql://{ROLE}:{secret}@/{ROLE}?{options}"


def password(place: Place) -> str:
    """Return the password of the place's role, made at the first call."""
    if not place.password.exists():
        _make_password(place)
    return place.password.read_text()


def _make_password(place: Place) -> None:
    descriptor, draft = tempfile.mkstemp(dir=place.root, prefix="password.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(descriptor)
            place.account.own(descriptor)
        _publish(Path(draft), place.password)
    finally:
        Path(draft).unlink()


def _publish(draft: Path, final: Path) -> None:
    # A link never replaces a file, a rename would: the first of two processes wins.
    with suppress(FileExistsError):
        final.hardlink_to(draft)
