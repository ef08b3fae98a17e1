"""What lies in a configuration: known of texts at once, of an archive when an agent has told it."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from iacplatform.base.problems import Invalid
from workspaces.models import Configuration, Manifest

MOST_FILES = 10_000
"""As many as an agent unpacks."""

MOST_BYTES = 8 * 1024 * 1024
"""Of a manifest's JSON."""

_PATH_CHARACTERS = 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file. `size` in bytes, `sha256` in hex."""

    path: str
    size: int
    sha256: str


def of(configuration: Configuration) -> dict[str, Entry] | None:
    """Return the files by path; None while nobody has unpacked the archive."""
    if configuration.is_archive:
        told = Manifest.of(configuration)
        return None if told is None else {each["path"]: Entry(**each) for each in told}
    return {path: _entry(path, text) for path, text in (configuration.files or {}).items()}


def missing(configuration: Configuration) -> str:
    """Return why nobody knows what lies in an archive, and what to do about it."""
    return (
        f"Nobody has unpacked version {configuration.number} yet, or the list of its files was too long to keep: it "
        f"has {MOST_BYTES // 1024**2} MiB at most. The server itself never unpacks an archive; the first agent that "
        "plans with it tells what lies in it. Plan with it while it is the newest version; where that was done, or "
        "cannot be done any more, download the archive and look for yourself."
    )


def keep(configuration: Configuration, entries: Any) -> None:
    """Store what an agent has unpacked, unless one has told before. Raises `Invalid` for what is no manifest."""
    if not isinstance(entries, list) or len(entries) > MOST_FILES:
        raise Invalid(f"A manifest is a list of at most {MOST_FILES:,} files.")
    kept = list(_read(entries))
    if configuration.is_archive:
        Manifest.objects.get_or_create(configuration=configuration, defaults={"entries": kept})


def _entry(path: str, text: str) -> Entry:
    content = text.encode()
    return Entry(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def _read(entries: list[Any]) -> Iterator[dict[str, Any]]:
    for each in entries:
        if not isinstance(each, Mapping) or each.keys() != {"path", "size", "sha256"} or not _is_sound(**each):
            raise Invalid("Each file of a manifest has a path, a size in bytes and a sha256 in hex.")
        yield dict(each)


def _is_sound(*, path: Any, size: Any, sha256: Any) -> bool:
    is_path = isinstance(path, str) and 0 < len(path) <= _PATH_CHARACTERS and "\0" not in path
    is_digest = isinstance(sha256, str) and bool(_SHA256.fullmatch(sha256))
    return is_path and is_digest and type(size) is int and 0 <= size < 2**63
