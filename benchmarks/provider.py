"""A real provider for benchmarks, in a mirror of files, as an installation without a network has one."""

import os
import subprocess
import zipfile
from pathlib import Path

from agents.runner import engines
from tests.cluster.binaries import building
from tests.cluster.binaries.programs import PROVIDER, PROVIDER_VERSION

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


def mirrored(folder: Path) -> Path:
    """Return an engine configuration file whose mirror holds the provider; build it where it is missing.

    The mirror is packed, as a registry's answer is: `init` has to unpack the provider, and not only to link it.
    """
    home = folder / "mirror" / "registry.terraform.io" / "hashicorp" / "time"
    home.mkdir(parents=True)
    platform = f"{engines.OS}_{engines.ARCH}"
    with zipfile.ZipFile(home / f"terraform-provider-time_{PROVIDER_VERSION}_{platform}.zip", "w") as archive:
        archive.write(_built(), PROVIDER.name, zipfile.ZIP_DEFLATED)
    settings = folder / "engine.tfrc"
    settings.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder / "mirror"}"\n  }}\n}}\n'
    )
    return settings


def _built() -> Path:
    try:
        building.build([PROVIDER])
    except (OSError, subprocess.CalledProcessError) as error:
        words = getattr(error, "stderr", None) or str(error)
        raise SystemExit(f"The provider {PROVIDER.name} cannot be built:{os.linesep}{words}") from error
    return PROVIDER.path
