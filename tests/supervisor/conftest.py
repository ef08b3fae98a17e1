"""Small children in the place of the platform's own."""

import io
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from iacplatform.supervisor.output import Output
from iacplatform.supervisor.service import Rank, Service, says
from iacplatform.supervisor.supervisor import Supervisor

MakeService = Callable[..., Service]


@pytest.fixture
def written() -> io.StringIO:
    """What the supervisor has written."""
    return io.StringIO()


@pytest.fixture
async def supervisor(tmp_path: Path, written: io.StringIO) -> AsyncIterator[Supervisor]:
    """A supervisor whose children run in the test's folder."""
    async with Supervisor(tmp_path, Output(written)) as ours:
        yield ours


@pytest.fixture
def child(tmp_path: Path) -> MakeService:
    """Return a function that makes a service from Python text; it works when it prints `ready`."""
    return lambda text, **facts: _child(tmp_path, text, facts)


def _child(folder: Path, text: str, facts: dict[str, Any]) -> Service:
    defaults = {
        "name": "child",
        "command": [sys.executable, "-c", text],
        "environment": {"FOLDER": str(folder)},
        "rank": Rank.PLATFORM,
        "sign": says("ready"),
    }
    return Service(**{**defaults, **facts})
