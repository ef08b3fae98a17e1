"""Where a workspace names no version: that of PATH, else the preferred one, else the newest that is there."""

from pathlib import Path

import pytest

from agents.runner.engines import Engines
from tests.runner.mirror import script


def put(folder: Path, *versions: str) -> None:
    for version in versions:
        place = folder / "tofu" / version / "tofu"
        place.parent.mkdir(parents=True)
        place.write_bytes(script(version))
        place.chmod(0o755)


def picked(folder: Path, preferred: str = "", path: Path = Path("/nowhere")) -> str:
    engines = Engines(folder, {"PATH": str(path)}, {"tofu": preferred})
    found = engines.find("tofu", "")
    assert found
    return found.engine.version


@pytest.mark.parametrize(
    ("there", "preferred", "first"),
    [
        (("1.9.0", "1.10.0", "1.8.12"), "", "1.10.0"),
        (("1.10.0", "1.10.0-rc1"), "", "1.10.0"),
        (("1.9.0", "1.10.0-rc1"), "", "1.9.0"),
        (("1.10.0-beta2", "1.10.0-rc1"), "", "1.10.0-rc1"),
        (("1.9.0", "1.10.0"), "1.9.0", "1.9.0"),
        (("1.9.0", "1.10.0"), "1.7.0", "1.10.0"),
    ],
)
def test_in_the_agents_folder(tmp_path: Path, there: tuple[str, ...], preferred: str, first: str) -> None:
    put(tmp_path, *there)
    assert picked(tmp_path, preferred) == first


def test_the_one_of_path_comes_before_all_others(tmp_path: Path) -> None:
    put(tmp_path / "engines", "1.10.0")
    put(tmp_path / "machine", "1.6.0")
    assert picked(tmp_path / "engines", "1.10.0", tmp_path / "machine" / "tofu" / "1.6.0") == "1.6.0"


def test_one_that_does_not_answer_is_not_started_again_while_nothing_changes(tmp_path: Path) -> None:
    put(tmp_path, "1.9.0")
    broken, starts = tmp_path / "tofu" / "1.9.0" / "tofu", tmp_path / "starts"
    broken.write_text(f"#!/bin/sh\necho once >>{starts}\nexit 1\n")
    engines = Engines(tmp_path, {"PATH": "/nowhere"}, {})
    for _ in range(3):
        engines.refresh()
    assert (engines.known, starts.read_text()) == ((), "once\n")
