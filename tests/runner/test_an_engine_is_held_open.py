"""A file that is open for writing cannot be started: an engine that was just written may be, for milliseconds more."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.runner import engines
from agents.runner.engines import Engines
from tests.runner.mirror import script

HOLDER = "import sys; file = open(sys.argv[1], 'ab'); print('holds', flush=True); sys.stdin.read()"
Holder = subprocess.Popen[str]


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    place = tmp_path / "tofu" / "1.9.0" / "tofu"
    place.parent.mkdir(parents=True)
    place.write_bytes(script("1.9.0"))
    place.chmod(0o755)
    return place


@pytest.fixture
def holder(engine: Path) -> Iterator[Holder]:
    """Another process, which has the engine open for writing until it is told to end."""
    command = [sys.executable, "-c", HOLDER, str(engine)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "holds\n"
        yield process
        process.kill()


@pytest.fixture
def refusals(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> list[OSError]:
    """The starts that were refused; the first one ends the holder."""
    refused: list[OSError] = []
    run = subprocess.run

    def watched(*arguments: Any, **options: Any) -> Any:
        try:
            return run(*arguments, **options)
        except OSError as error:
            refused.append(error)
            holder.communicate()
            raise

    monkeypatch.setattr(subprocess, "run", watched)
    return refused


def versions(folder: Path) -> list[str]:
    return [binary.engine.version for binary in Engines(folder, {"PATH": "/nowhere"}, {}).found()]


def test_it_is_started_again_once_nobody_holds_it(tmp_path: Path, refusals: list[OSError]) -> None:
    assert versions(tmp_path) == ["1.9.0"]
    assert [error.strerror for error in refusals] == ["Text file busy"]


@pytest.mark.usefixtures("holder")
def test_what_stays_open_is_no_engine_after_a_bounded_number_of_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_BUSY_SECONDS", 0)
    assert versions(tmp_path) == []


def test_another_refusal_is_the_last_one(tmp_path: Path, engine: Path, refusals: list[OSError]) -> None:
    engine.write_text("#!/no/such/interpreter\n")
    assert versions(tmp_path) == []
    assert [error.strerror for error in refusals] == ["Text file busy", "No such file or directory"]
