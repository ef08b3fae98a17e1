"""A release from its mirror to its place below the agent's `engines` folder: whole and proven, or not at all.

Whatever is not finished has a name that nobody takes for an engine; it gets the engine's own name in one step, when its
checksum is right and it has answered with its version. Where that is interrupted, the next one who downloads clears up.
"""

import asyncio
import fcntl
import io
import os
import re
import secrets
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

import httpx

from agents.runner import download
from agents.runner.download import DownloadFailed, Progress, Received
from agents.runner.releases import Release, shown

ARCHIVE_BYTES = 256 * 1024 * 1024
"""Largest archive; those of today have about 30 MiB."""

ENGINE_BYTES = 512 * 1024 * 1024
"""Largest engine; those of today have about 100 MiB."""

_SUMS_BYTES = 1024 * 1024
_LOOK_SECONDS = 0.2
_CHUNK_BYTES = 1024 * 1024
_SUM = re.compile(r"([0-9a-f]{64})  ?\*?(\S+)")
_UNFINISHED = ".part"

VersionOf = Callable[[Path], str]
"""Starts a binary and returns its version; empty when it does not answer."""


@asynccontextmanager
async def alone(place: Path, wait: Callable[[], None]) -> AsyncIterator[None]:
    """Give the one right to make the file `place`, among all tasks and agents that share its folder.

    `wait` is called once where somebody else has it. What they left unfinished is gone.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / ".lock").open("a") as handle:
        if not _is_locked(handle):
            wait()
            while not _is_locked(handle):
                await asyncio.sleep(_LOOK_SECONDS)
        for left in place.parent.glob(f".*{_UNFINISHED}"):
            left.unlink(missing_ok=True)
        yield


async def install(
    release: Release, place: Path, http: httpx.AsyncClient, *, progress: Progress, version_of: VersionOf
) -> None:
    """Bring the release's engine to `place`, whose folder is there. Raises `DownloadFailed`, `OSError`."""
    wanted = await _checksum(release, http)
    with _unfinished(place) as archive:
        with archive.open("w+b") as file:
            most = ARCHIVE_BYTES
            received = await download.into(file, http, release.archive_address, most=most, progress=progress)
            _compare(release, received, wanted, _head(file))
        await asyncio.to_thread(_place, release, archive, place, version_of)


async def _checksum(release: Release, http: httpx.AsyncClient) -> str:
    """Return what the mirror's list says of the archive, in hex."""
    text = io.BytesIO()
    address = release.sums_address
    received = await download.into(text, http, address, most=_SUMS_BYTES, progress=download.nobody)
    lines = text.getvalue().decode(errors="replace").splitlines()
    sums = {line[2]: line[1] for line in map(_SUM.fullmatch, map(str.strip, lines)) if line}
    if not sums:
        raise DownloadFailed(f"{shown(address)} is no list of SHA-256 sums: {_what(received, text.getvalue())} came")
    if release.archive not in sums:
        raise DownloadFailed(f"{shown(address)} names no {release.archive}, but {_platforms(release, sums)}")
    return sums[release.archive]


def _platforms(release: Release, sums: dict[str, str]) -> str:
    ours = sorted(name for name in sums if name.startswith(release.stem) and name.endswith(".zip"))
    return ", ".join(name.removeprefix(release.stem).removesuffix(".zip") for name in ours[:20]) or "nothing like it"


def _compare(release: Release, received: Received, wanted: str, head: bytes) -> None:
    if received.sha256 == wanted:
        return
    raise DownloadFailed(
        f"{shown(release.archive_address)} is not what the mirror's list says: {_what(received, head)} came, "
        f"{received.size} bytes with the SHA-256 {received.sha256}; the list has {wanted}"
    )


def _what(received: Received, head: bytes) -> str:
    if head.startswith(b"PK"):
        return "a zip archive"
    is_page = head.lstrip()[:15].lower().startswith((b"<!doctype", b"<html")) or "html" in received.kind
    return "a web page" if is_page else f"something else ({received.kind or 'of no named kind'})"


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(64)


def _place(release: Release, archive: Path, place: Path, version_of: VersionOf) -> None:
    """Unpack, prove and rename. It ends what it has begun even where nobody waits for it any more."""
    with _unfinished(place) as draft:
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
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
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


@contextmanager
def _unfinished(place: Path) -> Iterator[Path]:
    """Give a name beside `place` that nobody has; what is there in the end goes."""
    path = place.with_name(f".{place.name}.{secrets.token_hex(4)}{_UNFINISHED}")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _is_locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync(folder: Path) -> None:
    """Make a renaming last over a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
