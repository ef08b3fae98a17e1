"""OpenTofu for agents under test, built from its module; beside terraform, or in its place."""

import os
import shutil
from pathlib import Path

from tests.cluster.binaries.programs import TOFU, TOFU_VERSION

__all__ = ["TOFU_VERSION", "alone", "beside_terraform"]


def beside_terraform() -> str:
    """Return a PATH with both engines."""
    return f"{TOFU.found().parent}:{os.environ['PATH']}"


def alone(folder: Path) -> str:
    """Return a PATH with tofu, what the tests' configurations start, and no terraform; `folder` takes the links."""
    for name, program in {"tofu": TOFU.found(), "sleep": shutil.which("sleep")}.items():
        assert program, f"This system has no {name}."
        (folder / name).symlink_to(program)
    return str(folder)
