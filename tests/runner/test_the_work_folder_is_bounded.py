"""A task takes no more of an agent's disk than it may, and a full disk is said in a sentence."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.runner import room
from agents.runner.errors import PhaseFailed
from tests.runner.scene import Scene

MIB = 1024 * 1024


def test_a_task_that_fills_the_disk_is_ended(scene: Scene, start_agent: Callable[..., Any], tmp_path: Path) -> None:
    flood = tmp_path / "flood"
    flood.write_bytes(b"much ado\n" * 300_000)
    start_agent(PATH=scene.path, IAC_AGENT_TASK_MIB="1")
    behaviour = {"plan": {"copies": str(flood), "seconds": 600, "on_interrupt": 1}}
    result = scene.run(scene.job(behaviour=behaviour))
    assert (result.outcome, result.error_code) == ("failed", "folder_too_large")
    assert "grew beyond what one task may take there (IAC_AGENT_TASK_MIB), during plan." in result.error_message
    assert scene.signals() == ["plan"]


def test_a_task_begins_on_no_disk_that_is_full(tmp_path: Path) -> None:
    room.demand(tmp_path)
    with pytest.raises(
        PhaseFailed, match=r"is full: .* MiB are left, and a task needs at least 64\. Make room"
    ) as failed:
        room.demand(tmp_path, least_bytes=1 << 62)
    assert failed.value.code == "disk_full"


@pytest.mark.parametrize(("error", "is_lacking"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False)])
def test_a_full_disk_is_told_from_other_faults(error: int, is_lacking: bool) -> None:
    assert room.is_lacking(OSError(error, "why")) == is_lacking


def test_the_size_of_a_folder_is_what_it_takes_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "file").write_bytes(b"x" * MIB)
    (tmp_path / "link").symlink_to("/")
    assert MIB <= room.size(tmp_path) <= MIB + 64 * 1024
    assert room.size(tmp_path / "missing") == 0
