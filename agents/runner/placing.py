"""An engine out of its archive and into its place: whole and proven, or not at all.

Whatever is not finished has a name that nobody takes for an engine; it gets the engine's own name in one step, when it
has answered with its version. Where that is interrupted, the next one who downloads clears up.
"""

import lzma
import os
import secrets
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from agents.runner.download import DownloadFailed
from agents.runner.releases import Release, shown

ENGINE_BYTES = 512 * 1024 * 1024
"""Largest engine; those of today have about 100 MiB."""

_CHUNK_BYTES = 1024 * 1024
_UNFINISHED = ".part"

VersionOf = Callable[[Path], str]
"""Starts a binary and returns its version; empty when it does not answer."""


@contextmanager
def unfinished(place: Path) -> Iterator[Path]:
    """Give a name beside `place` that nobody has; what is there in the end goes."""
    path = place.with_name(f".{place.name}.{secrets.token_hex(4)}{_UNFINISHED}")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def clear_up(place: Path) -> None:
    """Remove what was left unfinished beside `place`."""
    for left in place.parent.glob(f".*{_UNFINISHED}"):
        left.unlink(missing_ok=True)


def put(release: Release, archive: Path, place: Path, version_of: VersionOf) -> None:
    """Bring the engine out of the archive to `place`. Raises `DownloadFailed`, `OSError`.

    In a thread it ends what it has begun, even where nobody waits for it any more.
    """
    with unfinished(place) as draft:
        _unpack(release, archive, draft)
        draft.chmod(0o755)
        _prove(release, version_of(draft), place)
        draft.rename(place)
        _sync(place.parent)


def _unpack(release: Release, archive: Path, draft: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as zipped, zipped.open(release.engine) as member, draft.open("xb") as file:
            _copy(member, file, release)
            file.flush()
            os.fsync(file.fileno())
    except KeyError as error:
        raise DownloadFailed(f"{shown(release.archive_address)} holds no file {release.engine}") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise DownloadFailed(f"{shown(release.archive_address)} cannot be unpacked ({type(error).__name__})") from error


def _copy(member: IO[bytes], file: IO[bytes], release: Release) -> None:
    size = 0
    while data := member.read(_CHUNK_BYTES):
        size += len(data)
        if size > ENGINE_BYTES:
            raise DownloadFailed(
                f"{release.engine} in {shown(release.archive_address)} is larger than {ENGINE_BYTES >> 20} MiB, the "
                "most that is taken"
            )
        file.write(data)


def _prove(release: Release, version: str, place: Path) -> None:
    if version == release.version:
        return
    if not version:
        raise DownloadFailed(
            f"{release.engine} of {shown(release.archive_address)} does not run on this {release.platform}; it was "
            f"built for something else, or nothing may be run in {place.parent}"
        )
    raise DownloadFailed(f"{release.engine} of {shown(release.archive_address)} says that it is version {version}")


def _sync(folder: Path) -> None:
    """Make a renaming last over a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
