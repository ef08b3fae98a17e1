"""Secrets that belong to the installation: given by the environment, else made once in the data folder."""

import os
import re
import secrets
from pathlib import Path

_PAIR = re.compile(r"\s*([A-Za-z0-9_-]{1,40}):[0-9A-Fa-f]{64}\s*")


def kept(file: Path, make: str) -> str:
    """Return the text of `file`, which is created with `make` (mode 600) if it is absent; exit where it cannot be.

    Two processes that start together agree: the file appears whole under its name, and only the first one links it.
    """
    try:
        return _kept(file, make)
    except OSError as error:
        # Settings load before anything else, so nobody could show it any better.
        raise SystemExit(f"{file} cannot be kept ({error.strerror}): give a writable IACPLATFORM_HOME.") from error


def _kept(file: Path, make: str) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(make)
        try:
            os.link(draft, file)
        except FileExistsError:
            pass  # another process was first; its text counts
        finally:
            draft.unlink()
    return file.read_text().strip()


def secret_key(home: Path) -> str:
    """Return Django's secret key of this data folder."""
    return kept(home / "secret_key", secrets.token_urlsafe(64))


def encryption_keys(home: Path) -> str:
    """Return the keys of this data folder as `id:key`, newest first, separated by commas; a key is 64 hex digits."""
    return kept(home / "encryption_keys", f"{secrets.token_hex(4)}:{secrets.token_hex(32)}")


def well_formed(given: str) -> str:
    """Return encryption keys as they were given; exit where they are none: what they sealed could not be read again."""
    found = [_PAIR.fullmatch(pair) for pair in given.split(",")]
    names = [pair[1] for pair in found if pair]
    if len(set(names)) == len(found):
        return given
    raise SystemExit(
        "IACPLATFORM_ENCRYPTION_KEYS has to be id:key,id:key, newest first: each id once (letters, digits, _ and -, at "
        'most 40), each key 64 hex digits; make one with: python -c "import secrets; print(secrets.token_hex(32))"'
    )
