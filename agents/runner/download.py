"""A file over HTTP: bounded in bytes, tried a second time when it is cut off, and each failure a sentence."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO

import httpx

from agents.runner.releases import shown

SILENT_SECONDS = 30.0
"""How long a server may send nothing."""

AGAIN_SECONDS = 1.0
"""Pause before the second try."""

_TIMEOUT = httpx.Timeout(SILENT_SECONDS, connect=15)
_CHUNK_BYTES = 256 * 1024
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_MIB = 1024 * 1024
_LENGTH = re.compile("[0-9]{1,18}")

Progress = Callable[[int, int], None]
"""Hears how many bytes came so far, and of how many; of 0 while that is not known."""


class DownloadFailed(Exception):
    """It did not come; the text is half a sentence that says what was asked and what came, without any secret."""


class CutOff(DownloadFailed):
    """A second try may go better."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """What came. `kind`: as the server calls it."""

    sha256: str
    size: int
    kind: str


async def into(file: IO[bytes], http: httpx.AsyncClient, address: str, *, most: int, progress: Progress) -> Received:
    """Write what lies at the address into the file, at most `most` bytes. Raises `DownloadFailed`, `OSError`."""
    try:
        return await _once(file, http, address, most, progress)
    except CutOff:
        await asyncio.sleep(AGAIN_SECONDS)
        file.seek(0)
        file.truncate()
        return await _once(file, http, address, most, progress)


def nobody(_done: int, _total: int) -> None:
    """Hear of a progress that nobody wants to know."""


async def _once(file: IO[bytes], http: httpx.AsyncClient, address: str, most: int, progress: Progress) -> Received:
    # Without compression: the archive is compressed already, and so its size is known beforehand.
    plain = {"Accept-Encoding": "identity"}
    try:
        async with http.stream("GET", address, headers=plain, follow_redirects=True, timeout=_TIMEOUT) as answer:
            _judge(answer, address)
            return await _received(file, answer, most, progress)
    except httpx.TooManyRedirects as error:
        raise DownloadFailed(f"{shown(address)} leads from one address to the next without end") from error
    except httpx.TimeoutException as error:
        raise CutOff(f"{shown(address)} did not answer, or sent nothing for {SILENT_SECONDS:.0f} s") from error
    except httpx.TransportError as error:
        raise CutOff(f"the connection to {shown(address)} failed ({_cause(error)})") from error


def _judge(answer: httpx.Response, address: str) -> None:
    came_from = shown(str(answer.url))
    by_way = "" if came_from == shown(address) else f", which leads to {came_from},"
    if address.startswith("https:") and any(step.scheme != "https" for step in _way(answer)):
        raise DownloadFailed(f"{shown(address)} leads to an address that is not https, which is not followed")
    if answer.status_code == HTTPStatus.OK:
        return
    words = f"{shown(address)}{by_way} answered {answer.status_code} {answer.reason_phrase}".strip()
    if answer.is_server_error or answer.status_code in _PASSING:
        raise CutOff(words)
    raise DownloadFailed(words)


def _way(answer: httpx.Response) -> list[httpx.URL]:
    return [*(step.url for step in answer.history), answer.url]


async def _received(file: IO[bytes], answer: httpx.Response, most: int, progress: Progress) -> Received:
    digest, size = hashlib.sha256(), 0
    total = _announced(answer)
    async for chunk in answer.aiter_raw(_CHUNK_BYTES):
        size += len(chunk)
        if max(size, total) > most:
            raise DownloadFailed(f"{shown(str(answer.url))} sends more than {most // _MIB} MiB, the most that is taken")
        digest.update(chunk)
        file.write(chunk)
        progress(size, total)
    return Received(sha256=digest.hexdigest(), size=size, kind=answer.headers.get("Content-Type", "")[:80])


def _announced(answer: httpx.Response) -> int:
    length = answer.headers.get("Content-Length", "")
    return int(length) if _LENGTH.fullmatch(length) else 0


def _cause(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
