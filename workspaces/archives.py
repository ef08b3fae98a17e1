"""Configurations that come as a tar.gz: kept in pieces as they came, and never unpacked here."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Protocol

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections

from iacplatform.base.problems import Invalid, NotFound, TooLarge
from workspaces.models import Configuration, ConfigurationPart
from workspaces.models.configuration import PART_BYTES

HOW = "Pack the configuration with `tar -czf configuration.tgz -C FOLDER .` and upload that file."

_GZIP = b"\x1f\x8b\x08"


class Upload(Protocol):
    """A file that was uploaded; Django keeps a large one on disk."""

    @property
    def size(self) -> int | None:
        """Bytes."""

    def seek(self, offset: int, /) -> int:
        """Go to a byte."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, fewer only at the end."""


def judge(archive: Upload) -> None:
    """Raise `Invalid` or `TooLarge` for what can be seen to be no archive without unpacking it."""
    size = archive.size or 0
    if size > settings.CONFIGURATION_MAX_BYTES:
        raise TooLarge(
            f"The archive has {size:,} bytes; {settings.CONFIGURATION_MAX_BYTES:,} is the most that is stored. "
            "Leave out what the configuration does not need: .terraform, .git, what is built."
        )
    if not size:
        raise _invalid(f"The archive is empty. {HOW}")
    if next(_cut(archive))[:3] != _GZIP:
        raise _invalid(f"The archive is not compressed with gzip, so it is no tar.gz. {HOW}")


def keep(configuration_id: int, archive: Upload) -> str:
    """Store the archive in pieces, and return its SHA-256 (hex)."""
    digest = hashlib.sha256()
    for number, content in enumerate(_cut(archive)):
        digest.update(content)
        ConfigurationPart.objects.create(configuration_id=configuration_id, number=number, content=content)
    return digest.hexdigest()


def _cut(archive: Upload) -> Iterator[bytes]:
    archive.seek(0)
    while content := archive.read(PART_BYTES):
        yield content


def part(configuration: Configuration, number: int) -> bytes:
    """Return a piece, or raise `NotFound`."""
    pieces = ConfigurationPart.objects.filter(configuration=configuration, number=number)
    content = pieces.values_list("content", flat=True).first()
    if content is None:
        raise NotFound(f"The archive has no part {number}: it has {configuration.parts_count}, counted from 0.")
    return bytes(content)


def packed(files: Mapping[str, str]) -> bytes:
    """Return texts as a tar.gz: the same bytes for the same files."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, text in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size = len(content := text.encode())
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


async def pieces(configuration: Configuration) -> AsyncIterator[bytes]:
    """Yield the archive; between two pieces no connection to the database is held, however slow the reader is."""
    for number in range(configuration.parts_count):
        yield await sync_to_async(_part_alone)(configuration, number)


def _part_alone(configuration: Configuration, number: int) -> bytes:
    try:
        return part(configuration, number)
    finally:
        close_old_connections()


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, errors={"archive": [sentence]})
