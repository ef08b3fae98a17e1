import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from iacplatform.postgres import Launcher
from tests.postgres.foreground import Foreground

Run = Callable[[Path], Foreground]


@pytest.fixture
def new_home(tmp_path: Path) -> Path:
    """A home that does not exist yet; pytest's folders are 0700, which a dropped account may not pass."""
    return tmp_path / "home"


@pytest.fixture(scope="module")
def home(used_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that has seen a start, the same one for all tests of a file; each leaves it without a server."""
    home = tmp_path_factory.mktemp("module") / "home"
    subprocess.run(["cp", "--archive", used_home, home], check=True)
    return home


@pytest.fixture(scope="session")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("used") / "home"
    with Launcher(home, settings={"fsync": "off"}):
        return home


@pytest.fixture
def run() -> Iterator[Run]:
    """Start the command for a home; whatever still runs at the end is stopped."""
    started: list[Foreground] = []

    def start(home: Path) -> Foreground:
        started.append(Foreground(home))
        return started[-1]

    yield start
    for command in started:
        command.end(signal.SIGTERM)
        command.process.communicate()
