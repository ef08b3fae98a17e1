"""The files that a plan made beside its configuration, as a tar for the agent that applies it.

An `archive_file` of the plan phase would be missing elsewhere. Unpacking is our own: regular files and folders only, no
links or devices, plain relative names, and limits that are counted on what is really there.
"""

import io
import os
import stat
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from agents.runner import configuration
from agents.runner.errors import PhaseFailed

FILES = 10_000
BYTES = 256 * 1024 * 1024

_OWN = {configuration.OVERRIDE, configuration.LOCK_FILE, ".terraform.tfstate.lock.info", "errored.tfstate", "crash.log"}


def pack(root: Path, known: Mapping[str, str]) -> bytes:
    """Return a tar.gz of the files below `root` that are new or differ from `known`; empty when there are none."""
    buffer = io.BytesIO()
    size = count = 0
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path in _made(root, known):
            size, count = size + path.stat().st_size, count + 1
            if count > FILES or size > BYTES:
                raise PhaseFailed("extras_too_large", _too_large("The plan made"))
            _add(archive, path, path.relative_to(root).as_posix())
    return buffer.getvalue() if count else b""


def unpack(data: bytes, root: Path) -> None:
    """Write the files of an archive below `root`, or raise `PhaseFailed` that names what is wrong with it."""
    size = count = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r|gz") as archive:
            for member in archive:
                size, count = size + member.size, count + 1
                if count > FILES or size > BYTES:
                    raise PhaseFailed("extras_invalid", _too_large("The stored plan holds"))
                _unpack_member(archive, member, root)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise PhaseFailed("extras_invalid", f"The files stored with the plan cannot be unpacked: {error}") from error


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    if member.isdir():
        configuration.make_folder(root, member.name)
    elif member.isreg() and not member.issparse() and (file := archive.extractfile(member)):
        mode = 0o700 if member.mode & stat.S_IXUSR else 0o600
        configuration.write_file(root, member.name, file.read(), mode)
    else:
        raise PhaseFailed(
            "extras_invalid", f"The files stored with the plan hold {member.name[:200]!r}, a link or device."
        )


def _made(root: Path, known: Mapping[str, str]) -> Iterator[Path]:
    names = {name.removeprefix("./"): text for name, text in known.items()}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".terraform")
        for path in sorted(Path(folder, name) for name in files if name not in _OWN):
            if stat.S_ISREG(path.lstat().st_mode) and not _is_known(path, names.get(path.relative_to(root).as_posix())):
                yield path


def _is_known(path: Path, text: str | None) -> bool:
    return text is not None and path.read_bytes() == text.encode()


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = path.stat().st_size
    member.mode = path.stat().st_mode & 0o700
    with path.open("rb") as file:
        archive.addfile(member, file)


def _too_large(start: str) -> str:
    return f"{start} more than {FILES} files or {BYTES // 1024**2} MiB beside its configuration, too much to keep."
