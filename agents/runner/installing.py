"""A release from its mirror to its place in the agent's folder `engines`: one brings it, checks it, and places it."""

import asyncio
import fcntl
import io
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import httpx

from agents.runner import download, placing
from agents.runner.download import DownloadFailed, Progress, Received
from agents.runner.placing import VersionOf
from agents.runner.releases import Release, shown

ARCHIVE_BYTES = 256 * 1024 * 1024
"""Largest archive; those of today have about 30 MiB."""

_SUMS_BYTES = 1024 * 1024
_LOOK_SECONDS = 0.2
_SUM = re.compile(r"([0-9a-f]{64})  ?\*?(\S+)")


@asynccontextmanager
async def alone(place: Path, wait: Callable[[], None]) -> AsyncIterator[None]:
    """Give the one right to make the file `place`, among all tasks and agents that share its folder.

    `wait` is called once where somebody else has it. What they left unfinished is gone then.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / ".lock").open("a") as handle:
        if not _is_locked(handle):
            wait()
            while not _is_locked(handle):
                await asyncio.sleep(_LOOK_SECONDS)
        placing.clear_up(place)
        yield


async def install(
    release: Release, place: Path, http: httpx.AsyncClient, *, progress: Progress, version_of: VersionOf
) -> None:
    """Bring the release's engine to `place`, whose folder is there. Raises `DownloadFailed`, `OSError`."""
    wanted = await _checksum(release, http)
    with placing.unfinished(place) as archive:
        with archive.open("w+b") as file:
            most = ARCHIVE_BYTES
            received = await download.into(file, http, release.archive_address, most=most, progress=progress)
            _compare(release, received, wanted, _head(file))
        await asyncio.to_thread(placing.put, release, archive, place, version_of)


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


def _is_locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
