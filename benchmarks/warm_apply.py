"""What a kept slot saves: confirmed → applied on the agent that planned, beside an agent that has to begin anew.

`python -m benchmarks.warm_apply [ROUNDS]`. Both apply a stored plan of the same configuration (five modules, a real
provider, data files beside them), and take turns. The cold agent is what a new pod is: connected, its folder empty.
That a pod has to start first comes on top, and is not measured here.
"""

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks import figures, provider
from benchmarks.installation import Installation, agent, installed

ENGINE = shutil.which("terraform")
ROUNDS = 7
GOALS = {"to_start": 1.0, "whole": 1.0}
"""The slot is kept for nothing where it saves nothing."""

LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 120
MODULES = ("network", "storage", "compute", "access", "alarms")
DOWNLOAD = re.compile(r'"GET /agents/v1/attempt\S*" 200 (\d+)')

_MODULE = """
variable "number" { type = number }
resource "time_static" "made" { triggers = { number = var.number } }
resource "terraform_data" "part" {
  count = 4
  input = var.number
}
"""


@dataclass(frozen=True, kw_only=True)
class Apply:
    """One apply. `to_start`: seconds from the confirmation to the start of the engine's apply; `whole`: to `applied`;
    `init`: seconds of that; `downloaded`: bytes that the agent fetched."""

    to_start: float
    whole: float
    init: float
    downloaded: int


def configuration() -> dict[str, str]:
    """Return the files: what a team's configuration has, in kind and size."""
    calls = [f'module "{name}" {{\n  source = "./modules/{name}"\n  number = var.number\n}}\n' for name in MODULES]
    modules = {f"modules/{name}/main.tf": provider.REQUIREMENT + _MODULE for name in MODULES}
    policies = {f"policies/{name}-{part}.json": "0123456789abcdef" * 300 for name in MODULES for part in range(8)}
    return {"main.tf": 'variable "number" { type = number }\n' + "".join(calls), **modules, **policies}


class Bench:
    """A workspace on the pool `local`, whose agents come and go."""

    def __init__(self, here: Installation, api: httpx.Client) -> None:
        self.here, self.api = here, api
        self._numbers = count(1)
        workspace = self._made("/workspaces", name="bench")["workspace_id"]
        self._path = f"/workspaces/{workspace}"
        self._made(f"{self._path}/configurations", files=configuration())
        self._variable = self._made(f"{self._path}/variables", key="number", value="0", hcl=True)["id"]

    def planned(self) -> str:
        """Return the path of a task that has been planned and waits to be confirmed."""
        value = {"value": str(next(self._numbers))}
        self.api.patch(f"{self._path}/variables/{self._variable}", json=value).raise_for_status()
        task = f"{self._path}/tasks/{self._made(f'{self._path}/tasks', task_type='plan_and_apply')['id']}"
        until(self.api, task, lambda row: row["status"] == "apply_pending")
        return task

    def given_up(self, task: str) -> None:
        """Return when no slot is kept for the task any more, and one is free elsewhere."""
        until(self.api, task, lambda row: not row["agent_id"])
        until(self.api, "/agents", lambda rows: any(each["connected"] for each in rows["results"]))

    def applied(self, task: str) -> Apply:
        """Confirm the plan, and return what its apply took, by this machine's one clock."""
        seen = len(self._requests())
        self._steps.write_text("")
        self.api.post(f"{task}/confirm-apply", json={}).raise_for_status()
        row = until(self.api, task, lambda row: row["completed_at"] is not None)
        if row["status"] != "applied":
            raise SystemExit(f"The task ended {row['status']}: {row['error_message']}")
        begin = second(row["confirmed_at"])
        steps = {name: (float(start), float(end)) for name, start, end in map(str.split, self._lines())}
        return Apply(
            to_start=steps["apply"][0] - begin,
            whole=second(row["completed_at"]) - begin,
            init=steps["init"][1] - steps["init"][0] if "init" in steps else 0.0,
            downloaded=sum(int(size) for size in DOWNLOAD.findall(self._requests()[seen:])),
        )

    @property
    def _steps(self) -> Path:
        return self.here.home / "steps"

    def _lines(self) -> list[str]:
        return self._steps.read_text().splitlines()

    def _requests(self) -> str:
        return (self.here.home / "web.log").read_text()

    def _made(self, path: str, **body: object) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.post(path, json=body).raise_for_status().json()
        return answer


def until(api: httpx.Client, path: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return what is at `path` as soon as it is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        row: dict[str, Any] = api.get(path).raise_for_status().json()
        if is_so(row):
            return row
        if time.monotonic() > end:
            raise SystemExit(f"{path} is not what it should be after {PATIENCE_SECONDS} s: {row}")
        time.sleep(LOOK_SECONDS)


def second(moment: str) -> float:
    """Return a moment that the API tells, in seconds of the epoch."""
    return datetime.fromisoformat(moment).timestamp()


def measure(bench: Bench, rounds: int) -> None:
    """Take turns, and print what is saved."""
    warm, cold = [], []
    for number in range(rounds + 1):
        first, second = _round(bench, number)
        warm.append(first)
        cold.append(second)
    _show(warm[1:], cold[1:])  # the first turn warms the server up


def _round(bench: Bench, number: int) -> tuple[Apply, Apply]:
    """Return an apply on the slot that was kept for it, and one whose slot has gone with its agent."""
    agents = bench.here.home / "agents"
    agents.mkdir(exist_ok=True)
    with agent(bench.here, f"planner-{number}", agents / f"planner-{number}"):
        warm = bench.applied(bench.planned())
        orphan = bench.planned()
    with agent(bench.here, f"other-{number}", agents / f"other-{number}"):
        bench.given_up(orphan)
        return warm, bench.applied(orphan)


def _show(warm: Sequence[Apply], cold: Sequence[Apply]) -> None:
    for part, what in (("to_start", "confirmed → apply starts"), ("whole", "confirmed → applied")):
        ours, peer = ([float(getattr(each, part)) for each in some] for some in (warm, cold))
        figures.ratio(f"{what}, slot kept", ours=ours, peer=peer, peer_name="another agent", goal=GOALS[part])
    for name, some in (("slot kept", warm), ("another agent", cold)):
        init, downloaded = median(each.init for each in some), median(each.downloaded for each in some)
        print(f"  {name}: init {init:.2f} s, {downloaded:,.0f} bytes downloaded")


def note_steps(folder: Path) -> None:
    """Put a wrapper of the engine first in the path; it writes down when each command began and ended."""
    folder.mkdir()
    wrapper = folder / "terraform"
    wrapper.write_text(
        f'#!/bin/sh\nbegin=$(date +%s.%N)\n"{ENGINE}" "$@"\nstatus=$?\n'
        f'echo "$1 $begin $(date +%s.%N)" >> "{folder.parent}/steps"\nexit $status\n'
    )
    wrapper.chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


if __name__ == "__main__":
    if ENGINE is None:
        raise SystemExit("terraform is not in the PATH; install it and try again.")
    with installed(is_logged=True) as installation, installation.client() as client:
        note_steps(installation.home / "wrapper")
        os.environ["IAC_AGENT_CLI_CONFIG"] = str(provider.mirrored(installation.home))
        measure(Bench(installation, client), int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
