"""A real provider for benchmarks: built where it is missing."""

import os
import subprocess
from pathlib import Path

from tests import provider_mirror
from tests.cluster.binaries import building
from tests.cluster.binaries.programs import PROVIDER
from tests.provider_mirror import REQUIREMENT

__all__ = ["REQUIREMENT", "mirrored"]


def mirrored(folder: Path) -> Path:
    """Return an engine configuration file whose mirror holds the provider."""
    try:
        building.build([PROVIDER])
    except (OSError, subprocess.CalledProcessError) as error:
        words = getattr(error, "stderr", None) or str(error)
        raise SystemExit(f"The provider {PROVIDER.name} cannot be built:{os.linesep}{words}") from error
    return provider_mirror.made(folder)
