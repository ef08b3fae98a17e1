"""A platform, an agent that runs the fake engine, and what the engine noted."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.protocol import Finished
from tests import processes
from tests.runner.fake_platform import FakePlatform

Job = dict[str, Any]
FAKE = Path(__file__).with_name("fake_engine.py")


class Scene:
    """Most tests of the agent: offer a job, wait for what happens, read the ledger."""

    def __init__(
        self, platform: FakePlatform, make_job: Callable[..., Job], eventually: Callable[..., None], folder: Path
    ) -> None:
        self.platform = platform
        self.eventually = eventually
        self.path = f"{_engine_folder(folder)}:{os.environ['PATH']}"
        self._make_job = make_job
        self._ledger = folder / "ledger"
        self._gates = folder

    def job(self, task: int = 1, behaviour: dict[str, Any] | None = None, **members: Any) -> Job:
        """Return a job for the fake engine."""
        text = json.dumps({"ledger": str(self._ledger), **(behaviour or {})})
        files = {"main.tf": "", "behaviour.json": text, **members.pop("files", {})}
        return self._make_job(task, files=files, **members)

    def run(self, job: Job) -> Finished:
        """Offer a job and return its result."""
        self.platform.offer(job)
        return self.result(job["task"], job["epoch"])

    def result(self, task: int = 1, epoch: int = 1) -> Finished:
        """Wait for a result and return it."""
        self.eventually(lambda: self.platform.result(task, epoch))
        result = self.platform.result(task, epoch)
        assert result
        return result

    def applying(self, **behaviour: Any) -> Job:
        """Plan, and return the job of the apply with this behaviour of `terraform apply`."""
        wanted = {"apply": behaviour}
        self.run(self.job(behaviour=wanted))
        return self.job(behaviour=wanted, epoch=2, phase="apply", plan=self.platform.stored_plan(1))

    def ledger(self) -> list[dict[str, Any]]:
        """Return what the engine noted so far, in whole lines: it may be writing one now."""
        lines = self._ledger.read_text().split("\n")[:-1] if self._ledger.exists() else []
        return [json.loads(line) for line in lines]

    def starts(self) -> list[str]:
        """Return the commands that were started, in order."""
        return [line["start"] for line in self.ledger() if "start" in line]

    def signals(self) -> list[str]:
        """Return the commands that got a SIGINT, one entry for each."""
        return [line["signal"] for line in self.ledger() if "signal" in line]

    def gate(self, name: str = "gate") -> str:
        """Return what the behaviour `until` waits for: an engine with it works on until `open_gate`."""
        return str(self._gates / name)

    def open_gate(self, name: str = "gate") -> None:
        """Let the engines that wait at a gate come to their end."""
        Path(self.gate(name)).touch()

    def wait_for_start(self, command: str) -> None:
        """Wait until a command was started."""
        self.eventually(lambda: command in self.starts())

    def process_of(self, command: str) -> int:
        """Wait until a command was started; return the id of its process, which must be running still."""
        self.wait_for_start(command)
        line = next(line for line in reversed(self.ledger()) if line.get("start") == command)
        return processes.outside(int(line["pid"]), str(line["namespace"]))


def _engine_folder(folder: Path) -> Path:
    place = folder / "bin"
    place.mkdir()
    script = place / "terraform"
    script.write_text(f"#!{sys.executable} -ES\n{FAKE.read_text()}")
    script.chmod(0o755)
    return place
