"""Where versions of the engines are published: laid out as their makers do it, whatever mirror they come from."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from agents.protocol import EngineName
from agents.runner import engines
from agents.runner.errors import BadConfiguration

VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?")


@dataclass(frozen=True, kw_only=True)
class Release:
    """One version of an engine, built for this machine. `folder`: its address, which may hold credentials."""

    engine: str
    version: str
    folder: str = field(repr=False)

    @property
    def platform(self) -> str:
        """This machine in the words of an archive's name."""
        return f"{engines.OS}_{engines.ARCH}"

    @property
    def archive(self) -> str:
        """The name of the zip archive that holds the engine."""
        return f"{self.stem}{self.platform}.zip"

    @property
    def stem(self) -> str:
        """How the names of all archives of this version begin."""
        return f"{self.engine}_{self.version}_"

    @property
    def archive_address(self) -> str:
        """The archive's address."""
        return f"{self.folder}/{self.archive}"

    @property
    def sums_address(self) -> str:
        """The address of the list of all archives' SHA-256."""
        return f"{self.folder}/{self.stem}SHA256SUMS"


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """Where an agent gets an engine that it lacks.

    `address`: without a slash at its end, perhaps with credentials; empty: it downloads none. `folder`: of a version
    below that. `version`: what is downloaded for workspaces that name none.
    """

    engine: EngineName
    address: str = field(repr=False)
    folder: str
    version: str

    def release(self, version: str) -> Release:
        """Return a version, of which nobody knows yet whether it was published."""
        folder = self.folder.format(version=version)
        return Release(engine=self.engine, version=version, folder=f"{self.address}/{folder}")


MAKERS = {
    "terraform": Mirror(
        engine="terraform",
        address="https://releases.hashicorp.com",
        folder="terraform/{version}",
        version="1.11.4",
    ),
    "tofu": Mirror(
        engine="tofu",
        address="https://github.com/opentofu/opentofu/releases/download",
        folder="v{version}",
        version="1.12.6",
    ),
}
"""What the makers of the engines publish, and which versions this release of ours was tested with."""


def mirror_variable(engine: str) -> str:
    """Return the name of the variable that says where an engine is downloaded from."""
    return f"IAC_AGENT_{engine.upper()}_MIRROR"


def version_variable(engine: str) -> str:
    """Return the name of the variable that says which version is downloaded where a workspace names none."""
    return f"IAC_AGENT_{engine.upper()}_VERSION"


def mirror(engine: str, address: str | None, version: str) -> Mirror:
    """Return the mirror of an engine. `address`: None for its maker's. Raises `BadConfiguration`."""
    maker = MAKERS[engine]
    return Mirror(
        engine=maker.engine,
        address=maker.address if address is None else _address(engine, address),
        folder=maker.folder,
        version=_version(engine, version) if version else maker.version,
    )


def shown(address: str) -> str:
    """Return an address as people may read it: without user, password and query, where secrets are."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _address(engine: str, address: str) -> str:
    if address and not _is_sound(address):
        raise BadConfiguration(
            f"{mirror_variable(engine)} must be an http or https address without query, like {MAKERS[engine].address}; "
            "or empty, so that nothing is downloaded."
        )
    return address.rstrip("/")


def _is_sound(address: str) -> bool:
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname) and parts.port != 0  # asking for the port judges it
    except ValueError:
        return False
    return has_host and parts.scheme in ("http", "https") and not (parts.query or parts.fragment)


def _version(engine: str, version: str) -> str:
    if not VERSION.fullmatch(version):
        raise BadConfiguration(f"{version_variable(engine)} must be a whole version, like {MAKERS[engine].version}.")
    return version
