"""A configuration in the work folder: which files it may have, where the engine begins, and our override there."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agents.runner import tree
from agents.runner.errors import PhaseFailed

OVERRIDE = "iacplatform_backend_override.tf.json"
"""Terraform reads `*_override.tf.json` last; to an empty backend, address and credentials come from TF_HTTP_* alone."""

OVERRIDE_TEXT = '{"terraform": {"backend": {"http": {}}}}\n'

LOCK_FILE = ".terraform.lock.hcl"

ARCHIVE_BYTES = 512 * 1024 * 1024
"""Most that an archive holds, unpacked."""

_OUR_NAME = "iacplatform_backend_override."
"""With any ending, and in any case: OpenTofu reads a `.tofu` file in place of the `.tf` file of that name."""

_LEFTOVERS = {"errored.tfstate", ".terraform.tfstate.lock.info"}
"""What an engine leaves in its folder; a state that lies there after an apply is brought to the server."""

_LOCAL_STATES = ("terraform.tfstate", "terraform.tfstate.d")
"""A state beside the configuration makes `init` ask whether to move it, and nobody is there to answer."""

_ENDINGS = {"terraform": (".tf", ".tf.json"), "tofu": (".tf", ".tf.json", ".tofu", ".tofu.json")}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file. `size` in bytes, `sha256` in hex."""

    size: int
    sha256: str


def write(files: Mapping[str, str], root: Path) -> dict[str, Entry]:
    """Write the texts of a configuration below `root`; return what lies there, by path."""
    contents = {"/".join(tree.path_parts(name)): text.encode() for name, text in files.items()}
    judge(contents)
    for name, content in contents.items():
        tree.write_file(root, name, content)
    return {
        name: Entry(size=len(content), sha256=hashlib.sha256(content).hexdigest()) for name, content in contents.items()
    }


def judge(names: Iterable[str]) -> None:
    """Raise `PhaseFailed` for a file that would take the place of one that the agent or the engine makes itself."""
    for name in names:
        parts = PurePosixPath(name.casefold()).parts
        if any(part.startswith(_OUR_NAME) for part in parts):
            raise _invalid(f"The configuration holds {name!r}, a name that the agent needs itself.")
        if any(part in _LEFTOVERS for part in parts):
            raise _invalid(f"The configuration holds {name!r}, which an engine has left after a failure: leave it out.")


def begin(root: Path, working_directory: str, engine: str) -> Path:
    """Return the folder in which the engine has to run, with our override in it.

    Raises `PhaseFailed` where it is missing, or has nothing for the engine: that would take all resources for gone; and
    where a state of its own lies in it.
    """
    folder = start(root, working_directory)
    if not any(_is_read(path, engine) for path in folder.iterdir()):
        raise _invalid(_nothing(root, working_directory, engine))
    for name in _LOCAL_STATES:
        if (folder / name).exists():
            raise _invalid(f"The configuration holds {name!r}: upload that as the workspace's state, and leave it out.")
    tree.write_file(folder, OVERRIDE, OVERRIDE_TEXT.encode())
    return folder


def start(root: Path, working_directory: str) -> Path:
    """Return the workspace's working directory below `root`, or raise `PhaseFailed` when there is none."""
    folder = root.joinpath(*tree.path_parts(working_directory)) if working_directory not in ("", ".") else root
    if not folder.is_dir():
        raise _invalid(f"The configuration has no folder {working_directory!r}, the workspace's working directory.")
    return folder


def _is_read(path: Path, engine: str) -> bool:
    """Return whether the engine reads the file; it passes over hidden ones, which macOS packs beside each other one."""
    return path.name.endswith(_ENDINGS[engine]) and not path.name.startswith(".") and path.is_file()


def _nothing(root: Path, working_directory: str, engine: str) -> str:
    where = f"the working directory {working_directory!r}" if working_directory else "the top folder"
    nothing = f"There is no file that ends in {' or '.join(_ENDINGS[engine])} in {where}."
    found = sorted(path.parent.relative_to(root).as_posix() for path in root.rglob("*.tf") if _is_read(path, engine))
    others = f" There are some in {found[0]!r}: set the workspace's working directory to it." if found else ""
    return f"{nothing}{others}"


def _invalid(sentence: str) -> PhaseFailed:
    return PhaseFailed("configuration_invalid", sentence)
