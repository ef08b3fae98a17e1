"""The terraform and tofu binaries of this agent: of PATH, and of `<workdir>/engines/<engine>/<version>/<engine>`.

Where a workspace names no version, it gets that of PATH, else the one that would be downloaded for it, else the newest.
"""

import errno
import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.protocol import Engine

NAMES = ("terraform", "tofu")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386", "armv7l": "arm"}

OS = platform.system().lower()
ARCH = _ARCHITECTURES.get(platform.machine().lower(), platform.machine().lower())
"""This machine, in the words of terraform's own `linux_amd64`."""

_SECONDS = 20

_BUSY_TRIES = 100
_BUSY_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Binary:
    """An engine that answered with its version."""

    engine: Engine
    path: Path


class Engines:
    """Finds engines and remembers their versions until the file changes: asking costs a start of the engine."""

    def __init__(self, folder: Path, environment: Mapping[str, str], preferred: Mapping[str, str]) -> None:
        """`preferred`: by engine, the version of the folder that comes first."""
        self._folder = folder
        self._environment = environment
        self._preferred = preferred
        self._versions: dict[tuple[Path, int, int], str] = {}
        self._seen: set[tuple[Path, int, int]] = set()
        self.known: tuple[Engine, ...] = ()
        """What was there when somebody looked last."""

    def found(self) -> list[Binary]:
        """Return the engines that are there now, in the order in which they are taken."""
        self._seen = self._files()
        found: dict[Engine, Binary] = {}
        for name, path in self._paths():
            if version := self._version(path):
                engine = Engine(name=name, version=version)  # type: ignore[arg-type]
                found.setdefault(engine, Binary(engine=engine, path=path))
        self.known = tuple(found)
        return list(found.values())

    def refresh(self) -> None:
        """Look again where files have come, gone or changed since somebody looked last; else none is started."""
        if self._seen != self._files():
            self.found()

    def find(self, name: str, version: str) -> Binary | None:
        """Return the engine of this version, or the first of that name when it is empty; None when there is none."""
        fitting = (each for each in self.found() if each.engine.name == name)
        return next((each for each in fitting if version in ("", each.engine.version)), None)

    def place(self, name: str, version: str) -> Path:
        """Return where in the agent's folder this version is looked for."""
        return self._folder / name / version / name

    def version_of(self, path: Path) -> str:
        """Start a binary and return its version; empty when it does not answer."""
        return _asked(path, self._environment)

    def _paths(self) -> Iterator[tuple[str, Path]]:
        for name in NAMES:
            if found := shutil.which(name, path=self._environment["PATH"]):
                yield name, Path(found).absolute()
        for name in NAMES:
            for path in sorted(self._folder.glob(f"{name}/*/{name}"), key=self._rank, reverse=True):
                if os.access(path, os.X_OK):
                    yield name, path

    def _rank(self, path: Path) -> tuple[bool, bool, list[int], str]:
        """Return what sorts the folder's engines: the preferred version, then releases by number, then betas."""
        numbers, _, beta = path.parent.name.partition("-")
        is_preferred = path.parent.name == self._preferred.get(path.name)
        return is_preferred, not beta, [int(number) for number in re.findall(r"[0-9]+", numbers)], beta

    def _files(self) -> set[tuple[Path, int, int]]:
        return {_key(path) for _, path in self._paths()}

    def _version(self, path: Path) -> str:
        key = _key(path)
        if not self._versions.get(key):
            self._versions[key] = self.version_of(path)
        return self._versions[key]


def _key(path: Path) -> tuple[Path, int, int]:
    """Return what is another one when the file is."""
    status = path.stat()
    return path, status.st_mtime_ns, status.st_size


def _asked(path: Path, environment: Mapping[str, str]) -> str:
    """Return the version that a binary answers with; empty when it does not answer."""
    arguments = [str(path), "version", "-json"]
    try:
        return str(json.loads(_said(arguments, environment))["terraform_version"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return ""


def _said(arguments: list[str], environment: Mapping[str, str]) -> bytes:
    """Start an engine and return its output, in a thread: one whose file is open for writing is started again soon.

    A child that another thread began while the file was written holds it open too, until it becomes its own program.
    """
    for _ in range(_BUSY_TRIES):
        try:
            return _run(arguments, environment)
        except OSError as error:
            if error.errno != errno.ETXTBSY:
                raise
        time.sleep(_BUSY_SECONDS)
    return _run(arguments, environment)


def _run(arguments: list[str], environment: Mapping[str, str]) -> bytes:
    return subprocess.run(
        arguments,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
        check=True,
    ).stdout
