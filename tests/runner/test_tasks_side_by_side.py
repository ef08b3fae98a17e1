"""An agent with several slots runs as many tasks at once, each in a folder of its own that no other user reads."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.runner.scene import Scene

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def _plans(scene: Scene) -> list[str]:
    """Return the folders of the plans that were started."""
    return [str(line["environment"]["HOME"]) for line in scene.ledger() if line.get("start") == "plan"]


def _open_to_others(folder: Path) -> Iterator[Path]:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink() and path.exists() and path.stat().st_mode & OTHERS:
            yield path


def test_two_tasks_run_at_once(scene: Scene, start_agent: Callable[..., Any], workdir: Path) -> None:
    start_agent(PATH=scene.path, IAC_AGENT_CAPACITY="2")
    for task in (1, 2):
        scene.platform.offer(scene.job(task, behaviour={"plan": {"seconds": 60, "on_interrupt": 1}}))
    scene.eventually(lambda: len(_plans(scene)) == 2)
    assert not [scene.platform.result(task) for task in (1, 2) if scene.platform.result(task)]
    assert len(set(_plans(scene))) == 2
    folders = [path for path in _open_to_others(workdir) if path.name not in ("lock",)]
    assert not folders
