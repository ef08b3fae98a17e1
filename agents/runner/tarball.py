"""A tar.gz that comes from elsewhere, read member by member, and nothing in it believed.

Headers are read here and not by Python's tarfile, which takes extended headers whole, however large they say they are.
Regular files and folders are members; every other kind is refused. Sizes are counted on what is unpacked, so that a
bomb ends when it has used up its bytes, and a size that lies ends before a byte of it is read.
"""

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from agents.runner.errors import PhaseFailed

FILES = 10_000
"""Most members; an extended header is none."""

_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 256 * 1024
_EXTENDED_BYTES = 1024 * 1024
"""Of one extended header: macOS keeps attributes of files in it."""

_EXTENDED_IN_A_ROW = 8
_RECORD = re.compile(rb"([1-9]\d{0,6}) ([^=\n]+)=")
_OWN_FOLDER = ".terraform"

_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link: pack what it leads to instead (tar --dereference)",
    tarfile.LNKTYPE: "a hard link: pack it as a file (tar --hard-dereference)",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file: pack it without --sparse",
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a tar.gz is to people. `code`: of the failure when it cannot be unpacked; `bytes`: most that it holds."""

    name: str
    code: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file or folder with a relative name. `content` has to be read before the next member is asked for."""

    name: str
    is_folder: bool
    is_executable: bool
    content: Iterator[bytes] = field(repr=False)


@dataclass
class _Extended:
    """What extended headers say of the member that follows them."""

    records: dict[str, str] = field(default_factory=dict)
    count: int = 0


class Tarball:
    """The members of a tar.gz, or `PhaseFailed` with a sentence. `skipped`: how many of `.terraform` were left out."""

    def __init__(self, stream: IO[bytes], source: Source) -> None:
        self._stream = gzip.GzipFile(fileobj=stream, mode="rb")
        self._source = source
        self._left = source.bytes
        self.skipped = 0

    def __iter__(self) -> Iterator[Member]:
        """Yield the members in their order."""
        count, extended = 0, _Extended()
        while (header := self._header()) is not None:
            if self._extend(header, extended):
                continue
            count += 1
            if count > FILES:
                raise self._too_large()
            yield from self._member(header, extended)
            extended = _Extended()
        self._end()

    def _member(self, header: tarfile.TarInfo, extended: _Extended) -> Iterator[Member]:
        name = self._name(extended.records.get("path", header.name))
        content = self._content(self._size(header, extended))
        if _OWN_FOLDER in name.casefold().split("/"):
            self.skipped += 1
        elif header.type not in _FILES and not header.isdir():
            raise self._refused(f"it holds {name[:200]!r}, {_KINDS.get(header.type, 'neither a file nor a folder')}.")
        elif name:
            yield Member(name=name, is_folder=header.isdir(), is_executable=bool(header.mode & 0o100), content=content)
        for _ in content:
            pass

    def _header(self) -> tarfile.TarInfo | None:
        """Return the next header, None at the end."""
        block = self._read(_BLOCK)
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            return None
        except tarfile.HeaderError as error:
            raise self._refused("it is no tar file, or damaged.") from error

    def _extend(self, header: tarfile.TarInfo, extended: _Extended) -> bool:
        """Take an extended header in; say whether it was one."""
        if header.type not in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
            return False
        extended.count += 1
        if extended.count > _EXTENDED_IN_A_ROW or not 0 <= header.size <= _EXTENDED_BYTES:
            raise self._refused(f"a header in it is larger than {_EXTENDED_BYTES:,} bytes, or says so.")
        data = b"".join(self._content(header.size))
        if header.type == tarfile.GNUTYPE_LONGNAME:
            extended.records["path"] = _text(data.partition(b"\0")[0])
        elif header.type == tarfile.XHDTYPE:
            extended.records |= self._records(data)
        elif header.type == tarfile.XGLTYPE and self._records(data).keys() & {"path", "size"}:
            raise self._refused("a header in it gives all files one name or size.")
        return True

    def _records(self, data: bytes) -> dict[str, str]:
        """Return the records of a PAX header."""
        records: dict[str, str] = {}
        position, data = 0, data.rstrip(b"\0")
        while position < len(data):
            found = _RECORD.match(data, position)
            end = position + int(found[1]) if found else 0
            if found is None or end > len(data) or end <= found.end() or data[end - 1 : end] != b"\n":
                raise self._refused("a header in it is damaged.")
            records[_text(found[2])] = _text(data[found.end() : end - 1])
            position = end
        if any(name.startswith("GNU.sparse.") for name in records):
            raise self._refused("it holds a sparse file: pack it without --sparse.")
        return records

    def _name(self, name: str) -> str:
        """Return a name without what means nothing; empty for the folder itself."""
        if name.startswith("/"):
            raise self._refused(f"the name {name[:200]!r} in it is not relative: pack with tar -C FOLDER and `.`.")
        return "/".join(part for part in name.split("/") if part not in ("", "."))

    def _size(self, header: tarfile.TarInfo, extended: _Extended) -> int:
        size = extended.records.get("size", str(header.size))
        if not re.fullmatch(r"\d{1,18}", size):
            raise self._refused(f"the size of {header.name[:200]!r} in it is no size.")
        return 0 if header.isdir() else int(size)

    def _content(self, size: int) -> Iterator[bytes]:
        if size > self._left:
            raise self._too_large()
        padding = -size % _BLOCK
        while size:
            data = self._read(min(size, _CHUNK))
            size -= len(data)
            yield data
        self._read(padding)

    def _end(self) -> None:
        """Read what follows the end mark: zeros, and the checksum of it all."""
        while data := self._some(_CHUNK):
            if data.strip(b"\0"):
                raise self._refused("something follows its end.")

    def _read(self, size: int) -> bytes:
        """Return exactly so many bytes."""
        pieces, missing = [], size
        while missing:
            pieces.append(self._some(missing))
            missing -= len(pieces[-1])
            if not pieces[-1]:
                raise self._refused("it ends before its end mark: it was cut, or is no tar file.")
        return b"".join(pieces)

    def _some(self, size: int) -> bytes:
        """Return up to so many bytes, none at the end."""
        try:
            data = self._stream.read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise self._refused("it is damaged or cut, or no gzip.") from error
        self._left -= len(data)
        if self._left < 0:
            raise self._too_large()
        return data

    def _refused(self, what: str) -> PhaseFailed:
        return PhaseFailed(self._source.code, f"{self._source.name} cannot be unpacked: {what}")

    def _too_large(self) -> PhaseFailed:
        most = f"{FILES:,} files or {self._source.bytes // 1024**2} MiB"
        return PhaseFailed(self._source.code, f"{self._source.name} holds more than {most}, too much to unpack.")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
