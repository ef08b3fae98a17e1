"""A pytest plugin: one PostgreSQL server for the whole run, known before Django reads its settings.

Loaded by `-p` in pyproject.toml, because pytest-django reads the settings before any conftest is loaded. With
DATABASE_URL set that server is used. Workers of xdist inherit both variables, hence the one server.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from iacplatform.postgres import Launcher, address

LAZY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
"""A test database need not survive a power cut."""


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of programs are started: none compiles ours anew
    home = Path(tempfile.mkdtemp(prefix="iacplatform-tests-"))
    early_config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    os.environ["IACPLATFORM_HOME"] = str(home)
    if "DATABASE_URL" not in os.environ:
        _start_server(early_config, home)


def _start_server(config: pytest.Config, home: Path) -> None:
    launcher = Launcher(home, settings=LAZY)
    config.add_cleanup(launcher.stop)
    launcher.start()
    os.environ["DATABASE_URL"] = address(home)
