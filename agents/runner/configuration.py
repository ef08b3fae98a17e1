"""Files that come from elsewhere, written so that no name leads out of the folder."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from agents.runner.errors import PhaseFailed

OVERRIDE = "iacplatform_backend_override.tf.json"
"""Terraform reads `*_override.tf.json` last; to an empty backend, address and credentials come from TF_HTTP_* alone."""

OVERRIDE_TEXT = '{"terraform": {"backend": {"http": {}}}}\n'

LOCK_FILE = ".terraform.lock.hcl"

_DEPTH = 32


def write(files: Mapping[str, str], working_directory: str, root: Path) -> Path:
    """Write a configuration and our override below `root`; return the folder in which the engine has to run."""
    for name, text in files.items():
        if Path(name).name == OVERRIDE:
            raise PhaseFailed(
                "configuration_invalid", f"The configuration holds {name!r}, a name that the agent needs itself."
            )
        write_file(root, name, text.encode())
    begin = start(root, working_directory)
    write_file(begin, OVERRIDE, OVERRIDE_TEXT.encode())
    return begin


def start(root: Path, working_directory: str) -> Path:
    """Return the workspace's working directory below `root`, or raise `PhaseFailed` when there is none."""
    begin = root.joinpath(*path_parts(working_directory)) if working_directory not in ("", ".") else root
    if not begin.is_dir():
        raise PhaseFailed(
            "configuration_invalid",
            f"The configuration has no folder {working_directory!r}, the workspace's working directory.",
        )
    return begin


def path_parts(name: str) -> list[str]:
    """Return the parts of a relative name, or raise `PhaseFailed` when it could mean another place."""
    parts = name.removeprefix("./").split("/")
    harmless = all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in parts)
    if not harmless or len(parts) > _DEPTH or re.search(r"[\x00-\x1f\x7f\\]", name):
        raise PhaseFailed("configuration_invalid", f"The file name {name[:200]!r} is not a plain relative one.")
    return parts


def write_file(root: Path, name: str, data: bytes, mode: int = 0o600) -> None:
    """Write a file below `root`, replacing one that is there; no link is ever followed."""
    *folders, last = path_parts(name)
    with _folder(root, folders) as descriptor:
        try:
            _replace(descriptor, last, data, mode)
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


def _replace(folder: int, name: str, data: bytes, mode: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
