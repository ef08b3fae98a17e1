"""The provider `hashicorp/time` in a mirror of files for both engines, as an installation without a network has one."""

import os
import zipfile
from pathlib import Path

import pytest

from agents.runner import engines
from tests.cluster.binaries.programs import PROVIDER, PROVIDER_VERSION

HOSTS = ("registry.terraform.io", "registry.opentofu.org")
"""Where terraform, and where tofu, takes `hashicorp/time` to come from."""

PLATFORM = f"{engines.OS}_{engines.ARCH}"

_REQUIREMENT = """
terraform {
  required_providers {
    time = {
      source  = "hashicorp/time"
      version = "%s"
    }
  }
}
"""
REQUIREMENT = _REQUIREMENT % PROVIDER_VERSION
"""What a module says that uses it."""


@pytest.fixture(scope="session")
def provider_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine configuration file (IAC_AGENT_CLI_CONFIG) whose mirror holds the provider."""
    return made(tmp_path_factory.mktemp("providers"))


def made(folder: Path) -> Path:
    """Return an engine configuration file in `folder` whose mirror, beside it, holds the built provider.

    The mirror is packed, as a registry's answer is: `init` has to unpack the provider, and not only to link it.
    """
    first, *others = [_package(folder / "mirror" / host) for host in HOSTS]
    with zipfile.ZipFile(first, "w") as archive:
        archive.write(PROVIDER.found(), PROVIDER.name, zipfile.ZIP_DEFLATED, compresslevel=1)
    for other in others:
        os.link(first, other)
    return settings(folder / "engine.tfrc", folder / "mirror")


def settings(file: Path, mirror: Path) -> Path:
    """Write an engine configuration file that knows this mirror and nothing else; return it."""
    file.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return file


def _package(host: Path) -> Path:
    home = host / "hashicorp" / "time"
    home.mkdir(parents=True)
    return home / f"terraform-provider-time_{PROVIDER_VERSION}_{PLATFORM}.zip"
