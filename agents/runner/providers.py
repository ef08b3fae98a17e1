"""The providers of one agent: fetched once, and used by all of its tasks, side by side.

The engines' own cache (TF_PLUGIN_CACHE_DIR), shared, does not do that. Terraform, in all versions, unpacks into it in
place, over what other tasks execute at that moment ("text file busy", or half a provider); it does so without a lock,
and also with a package that is there already, unless the lock file names its hash (hashicorp/terraform issue 31964).
OpenTofu has a lock from 1.10 on, among its own kind. One `init` at a time is not enough: another task's plan or apply
executes the file.

So no engine ever writes here. Each task has a cache of its own, with links to those packages of the store that its lock
file accepts. What `init` had to fetch lies in the task's cache, checked by the engine; a good `init` gives it to the
store, by one rename. A package in the store never changes, so nobody who uses one has to wait for anybody.
"""

import asyncio
import base64
import hashlib
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Lock

from agents.runner.control import Control

PATIENCE_SECONDS = 120.0
"""How long an `init` waits for that of another task, which may just fetch what both need; a slow one stops nobody."""

UNUSED_SECONDS = 30 * 86400
"""How long a package stays that no `init` has used."""

_PACKAGES = "*/*/*/*/*"
"""HOST/NAMESPACE/TYPE/VERSION/OS_ARCH, as in every cache and mirror of both engines."""


class Providers:
    """The store below `folder`: packages, and beside each one its hash as lock files have it, in `OS_ARCH.h1`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = asyncio.Lock()
        self._writing = Lock()

    @property
    def is_waited_for(self) -> bool:
        """Whether the turn is taken now."""
        return self._turn.locked()

    @asynccontextmanager
    async def turn(self, control: Control) -> AsyncIterator[None]:
        """Hold the turn of `init`; after `PATIENCE_SECONDS`, or when the attempt is ended, go on without it."""
        taking, ended = asyncio.ensure_future(self._turn.acquire()), asyncio.ensure_future(control.ended.wait())
        await asyncio.wait((taking, ended), timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not taking.done():
            taking.cancel()
            await asyncio.wait((taking,))
        try:
            yield
        finally:
            if not taking.cancelled():
                self._turn.release()

    def lend(self, cache: Path, lock_file: Path) -> None:
        """Make `cache` a cache of links to the packages that a configuration with this lock file may use."""
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir(mode=0o700, parents=True)
        lock = lock_file.read_text(errors="replace") if lock_file.is_file() else ""
        with self._writing:
            for package in self._packages():
                if _accepts(lock, package.relative_to(self._folder), _hash_file(package).read_text()):
                    link = cache / package.relative_to(self._folder)
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to(package)

    def adopt(self, cache: Path) -> None:
        """Keep for all tasks what a good `init` has fetched into its cache, and note what it has used."""
        with self._writing, suppress(OSError):  # a full disk: the task has its providers, the next one fetches its own
            for package in _found(cache):
                ours = self._folder / package.relative_to(cache)
                if not package.is_symlink() and not ours.exists():
                    self._take(package, ours)
                elif package.resolve() == ours:
                    _hash_file(ours).touch()

    def sweep(self) -> None:
        """Remove what was not used for long; nothing may run yet."""
        oldest = time.time() - UNUSED_SECONDS
        for package in list(self._packages()):
            if _hash_file(package).stat().st_mtime < oldest:
                _hash_file(package).unlink()
        for package in list(_found(self._folder)):
            if not _hash_file(package).exists():
                shutil.rmtree(package, ignore_errors=True)

    def packages(self) -> list[tuple[float, Path]]:
        """Return the packages of the store, each with when an `init` last used it, in seconds since 1970."""
        with self._writing:
            return [(_hash_file(package).stat().st_mtime, package) for package in self._packages()]

    def discard(self, package: Path, caches: Iterable[Path]) -> bool:
        """Remove a package, unless one of these caches has a link to it; say whether it is gone."""
        with self._writing:
            is_lent = any((cache / package.relative_to(self._folder)).is_symlink() for cache in caches)
            if not is_lent:
                _hash_file(package).unlink(missing_ok=True)
                shutil.rmtree(package, ignore_errors=True)
            return not is_lent

    def _take(self, package: Path, ours: Path) -> None:
        ours.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _hash_file(ours).write_text(_hash(package))
        package.rename(ours)
        package.symlink_to(ours)

    def _packages(self) -> Iterator[Path]:
        """Yield the packages that are whole; the hash is written first."""
        return (package for package in _found(self._folder) if _hash_file(package).exists())


def _found(folder: Path) -> Iterator[Path]:
    return (package for package in sorted(folder.glob(_PACKAGES)) if package.is_dir())


def _hash_file(package: Path) -> Path:
    return package.with_name(f"{package.name}.h1")


def _accepts(lock: str, package: Path, digest: str) -> bool:
    """Say whether a lock file leaves this package to the engine's choice, or names its hash.

    A link to one that it does not accept would have the engine fail, or write over it.
    """
    address = re.escape("/".join(package.parts[:3]))
    return digest in lock or not re.search(rf'^\s*provider\s+"{address}"', lock, re.MULTILINE)


def _hash(package: Path) -> str:
    """Return the hash of a package that both engines write into lock files (dirhash.Hash1 of Go)."""
    names = sorted(path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file())
    lines = "".join(f"{_sha256(package / name)}  {name}\n" for name in names)
    return f"h1:{base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
