"""A laptop, and the workspace that keeps its state."""

from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.workspaces import laptops
from tests.workspaces.laptops import Laptop
from workspaces.models import Workspace


@pytest.fixture
def stateful(db: Any) -> Workspace:
    """The workspace that keeps the laptop's state."""
    return factories.workspace(name="laptop")


@pytest.fixture
def laptop(live_server: Any, stateful: Workspace, tmp_path: Path) -> Laptop:
    """A laptop with terraform; it has been initialized."""
    return laptops.laptop(live_server.url, stateful, tmp_path)
