"""Providers are fetched once for an agent, whatever its tasks do side by side; a lock file is never overruled."""

import os
import time
from pathlib import Path

import pytest

from agents.runner.providers import UNUSED_SECONDS, Providers

PACKAGE = "registry.terraform.io/hashicorp/time/0.14.2/linux_amd64"
LOCK = """
provider "registry.terraform.io/hashicorp/time" {
  version = "0.14.2"
  hashes = [
    "%s",
  ]
}
"""
HASH = "h1:YY31DO3eVpuVbLuuSptb6K1GhfbKX9vT6Z/6ruQ9dnw="
"""Of a package with the one file `provider`, which holds `first`; as terraform would write it."""


@pytest.fixture
def store(tmp_path: Path) -> Providers:
    return Providers(tmp_path / "store")


def _task(store: Providers, folder: Path, lock: str = "") -> Path:
    """Return the cache of a new task, whose configuration has this lock file."""
    folder.mkdir()
    if lock:
        (folder / "lock").write_text(lock)
    store.lend(folder / "cache", folder / "lock")
    return folder / "cache"


def _fetched(cache: Path, content: str = "first") -> Path:
    """Put a package into a cache, as `init` does."""
    package = cache / PACKAGE
    package.mkdir(parents=True)
    (package / "provider").write_text(content)
    return package


def test_what_one_task_has_fetched_the_next_one_finds(store: Providers, tmp_path: Path) -> None:
    first = _task(store, tmp_path / "first")
    package = _fetched(first)
    store.adopt(first)
    assert (package / "provider").read_text() == "first"  # it is still there for the one that fetched it
    assert (_task(store, tmp_path / "second") / PACKAGE / "provider").read_text() == "first"


def test_what_is_in_the_store_never_changes(store: Providers, tmp_path: Path) -> None:
    """Two that began with an empty store have fetched the same: the first one's is kept, each goes on with its own."""
    caches = [_task(store, tmp_path / name) for name in ("first", "second")]
    packages = [_fetched(cache, name) for cache, name in zip(caches, ("first", "second"), strict=True)]
    before = [(package / "provider").stat().st_ino for package in packages]
    for cache in caches:
        store.adopt(cache)
    assert [(package / "provider").stat().st_ino for package in packages] == before
    assert (_task(store, tmp_path / "third") / PACKAGE / "provider").read_text() == "first"


@pytest.mark.parametrize(
    ("lock", "is_lent"),
    [
        pytest.param("", True, id="no lock file"),
        pytest.param(LOCK.replace("hashicorp/time", "hashicorp/random") % "h1:other", True, id="of another provider"),
        pytest.param(LOCK % HASH, True, id="names its hash"),
        pytest.param(LOCK % "h1:another", False, id="names another hash"),
        pytest.param(LOCK % "zh:of-the-archive", False, id="names only the hash of the archive"),
    ],
)
def test_a_lock_file_is_never_overruled(store: Providers, tmp_path: Path, lock: str, is_lent: bool) -> None:
    first = _task(store, tmp_path / "first")
    _fetched(first)
    store.adopt(first)
    assert (_task(store, tmp_path / "second", lock) / PACKAGE).exists() is is_lent


def test_a_package_of_an_unpacked_mirror_stays_in_the_mirror(store: Providers, tmp_path: Path) -> None:
    cache, mirror = _task(store, tmp_path / "first"), tmp_path / "mirror"
    package = _fetched(cache)
    package.rename(mirror)
    package.symlink_to(mirror)
    store.adopt(cache)
    assert list((tmp_path / "store").rglob("*")) == []
    assert (mirror / "provider").read_text() == "first"


def test_what_no_task_has_used_for_long_is_removed(store: Providers, tmp_path: Path) -> None:
    first = _task(store, tmp_path / "first")
    _fetched(first)
    store.adopt(first)
    (noted,) = (tmp_path / "store").rglob("*.h1")
    assert noted.read_text() == HASH
    long_ago = time.time() - UNUSED_SECONDS - 60
    os.utime(noted, (long_ago, long_ago))
    store.adopt(used := _task(store, tmp_path / "second"))
    store.sweep()
    assert (used / PACKAGE).exists()
    os.utime(noted, (long_ago, long_ago))
    store.sweep()
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
