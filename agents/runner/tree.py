"""A folder that is written by names which come from elsewhere: none leads out of it, and no link is ever followed."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agents.runner.errors import PhaseFailed

_DEPTH = 32
_NAME_CHARACTERS = 1024
_PART_BYTES = 255
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def path_parts(name: str) -> list[str]:
    """Return the parts of a relative name, or raise `PhaseFailed` when it could mean another place."""
    parts = name.removeprefix("./").split("/")
    is_readable = len(name) <= _NAME_CHARACTERS and not _UNREADABLE.search(name)
    if not is_readable or len(parts) > _DEPTH or not all(map(_is_plain, parts)):
        raise PhaseFailed("configuration_invalid", f"The file name {name[:200]!r} is not a plain relative one.")
    return parts


def _is_plain(part: str) -> bool:
    return part not in ("", ".", "..") and len(part.encode()) <= _PART_BYTES


def write_file(root: Path, name: str, data: bytes | Iterable[bytes], mode: int = 0o600) -> None:
    """Write a file below `root`, replacing one that is there; no link is ever followed."""
    *folders, last = path_parts(name)
    with _folder(root, folders) as descriptor:
        try:
            _replace(descriptor, last, [data] if isinstance(data, bytes) else data, mode)
        except OSError as error:
            raise PhaseFailed(
                "configuration_invalid", f"The file {name!r} cannot be written: {error.strerror}."
            ) from error


def make_folder(root: Path, name: str) -> None:
    """Make a folder below `root`; no link is ever followed."""
    with _folder(root, path_parts(name)):
        pass


@contextmanager
def _folder(root: Path, folders: list[str]) -> Iterator[int]:
    """Give the descriptor of a folder below `root`, made where it is missing."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            descriptor = _step(descriptor, folder)
        yield descriptor
    finally:
        os.close(descriptor)


def _step(parent: int, folder: str) -> int:
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700, dir_fd=parent)
    try:
        child = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except OSError as error:
        raise PhaseFailed(
            "configuration_invalid", f"{folder!r} is wanted as a folder but is something else."
        ) from error
    os.close(parent)
    return child


def _replace(folder: int, name: str, data: Iterable[bytes], mode: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(data)
