"""The terraform and tofu binaries of this agent: of PATH, and of `<workdir>/engines/<engine>/<version>/<engine>`."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.protocol import Engine
from agents.runner.errors import PhaseFailed

NAMES = ("terraform", "tofu")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386", "armv7l": "arm"}

OS = platform.system().lower()
ARCH = _ARCHITECTURES.get(platform.machine().lower(), platform.machine().lower())
"""This machine, in the words of terraform's own `linux_amd64`."""

_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Binary:
    """An engine that answered with its version."""

    engine: Engine
    path: Path


class Engines:
    """Finds engines and remembers their versions until the file changes: asking costs a start of the engine."""

    def __init__(self, folder: Path, environment: Mapping[str, str], agent_name: str) -> None:
        self._folder = folder
        self._environment = environment
        self._agent_name = agent_name
        self._versions: dict[tuple[Path, int, int], str] = {}

    def found(self) -> list[Binary]:
        """Return the engines that are there now, those of PATH first."""
        found: dict[Engine, Binary] = {}
        for name, path in self._paths():
            if version := self._version(path):
                engine = Engine(name=name, version=version)  # type: ignore[arg-type]
                found.setdefault(engine, Binary(engine=engine, path=path))
        return list(found.values())

    def pick(self, name: str, version: str) -> Binary:
        """Return the engine of this version, or any of that name when it is empty; else raise `engine_missing`."""
        found = self.found()
        for binary in found:
            if binary.engine.name == name and version in ("", binary.engine.version):
                return binary
        wanted = f"{name} {version}".strip()
        have = ", ".join(f"{binary.engine.name} {binary.engine.version}" for binary in found) or "no engine"
        raise PhaseFailed(
            "engine_missing",
            f"Agent {self._agent_name} has no {wanted}; it has {have}. Put the binary on the agent's PATH or at "
            f"{self._folder / name / (version or 'VERSION') / name}, or give the workspace another version.",
        )

    def _paths(self) -> Iterator[tuple[str, Path]]:
        for name in NAMES:
            if found := shutil.which(name, path=self._environment["PATH"]):
                yield name, Path(found).absolute()
        for name in NAMES:
            for path in sorted(self._folder.glob(f"{name}/*/{name}"), reverse=True):
                if os.access(path, os.X_OK):
                    yield name, path

    def _version(self, path: Path) -> str:
        status = path.stat()
        key = (path, status.st_mtime_ns, status.st_size)
        if not self._versions.get(key):
            self._versions[key] = _asked(path, self._environment)
        return self._versions[key]


def _asked(path: Path, environment: Mapping[str, str]) -> str:
    """Return the version that a binary answers with; empty when it does not answer."""
    arguments = [str(path), "version", "-json"]
    try:
        answer = subprocess.run(
            arguments,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        return str(json.loads(answer.stdout)["terraform_version"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return ""
