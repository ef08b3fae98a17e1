"""Archives in and out: a configuration that came as one, and the files that a plan made beside its configuration.

An `archive_file` of the plan phase would be missing elsewhere, so it goes with the plan. One unpacker serves both.
"""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from agents.runner import configuration, tree
from agents.runner.errors import PhaseFailed
from agents.runner.folder import sha256
from agents.runner.tarball import FILES, Member, Source, Tarball

BYTES = 256 * 1024 * 1024

_HEADERS = FILES * 4096
"""What a tar has beside the files that were packed: headers with long names, and what fills up blocks."""

EXTRAS = Source(name="The archive of files stored with the plan", code="extras_invalid", bytes=BYTES + _HEADERS)
CONFIGURATION = Source(
    name="The configuration's archive", code="configuration_invalid", bytes=configuration.ARCHIVE_BYTES
)

_OWN = {configuration.OVERRIDE, configuration.LOCK_FILE, ".terraform.tfstate.lock.info", "errored.tfstate", "crash.log"}


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """`files`: what was written, by path; `skipped`: members of `.terraform` folders, which the engine makes itself."""

    files: Mapping[str, configuration.Entry]
    skipped: int


def unpack(stream: IO[bytes], root: Path, source: Source) -> Unpacked:
    """Write the files of a tar.gz below `root`, or raise `PhaseFailed` that names what is wrong with it."""
    members, files = Tarball(stream, source), {}
    for member in members:
        if member.is_folder:
            tree.make_folder(root, member.name)
        else:
            files[member.name] = _written(root, member)
    return Unpacked(files=files, skipped=members.skipped)


def pack(root: Path, known: Mapping[str, str]) -> bytes:
    """Return a tar.gz of the files below `root` that are not as `known` (SHA-256 by path) says; empty for none."""
    buffer = io.BytesIO()
    size = count = 0
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path in _made(root, known):
            size, count = size + path.stat().st_size, count + 1
            if count > FILES or size > BYTES:
                raise PhaseFailed(
                    "extras_too_large",
                    f"The plan made more than {FILES:,} files or {BYTES // 1024**2} MiB beside its configuration, "
                    "too much to keep.",
                )
            _add(archive, path, path.relative_to(root).as_posix())
    return buffer.getvalue() if count else b""


def _written(root: Path, member: Member) -> configuration.Entry:
    digest, size = hashlib.sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for data in member.content:
            digest.update(data)
            size += len(data)
            yield data

    tree.write_file(root, member.name, counted(), 0o700 if member.is_executable else 0o600)
    return configuration.Entry(size=size, sha256=digest.hexdigest())


def _made(root: Path, known: Mapping[str, str]) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".terraform")
        for path in sorted(Path(folder, name) for name in files if name not in _OWN):
            if stat.S_ISREG(path.lstat().st_mode) and sha256(path) != known.get(path.relative_to(root).as_posix()):
                yield path


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = path.stat().st_size
    member.mode = path.stat().st_mode & 0o700
    with path.open("rb") as file:
        archive.addfile(member, file)
