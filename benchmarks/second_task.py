"""What an agent's store of providers saves: its second task beside its first.

`python -m benchmarks.second_task [ROUNDS]`. Each round has a new agent with an empty folder, which plans two workspaces
of the same configuration, one after the other. Only the first task has to fetch and unpack the provider.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks import figures, provider
from benchmarks.installation import Installation, agent, installed
from benchmarks.warm_apply import ENGINE, configuration, note_steps, second, until

ROUNDS = 7
GOALS = {"init": 1.0, "whole": 1.0}
"""The store is kept for nothing where it saves nothing."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One plan. `init`: seconds of the engine's init; `whole`: from the start of the phase to its end."""

    init: float
    whole: float


class Bench:
    """Two workspaces of one configuration on the pool `local`."""

    def __init__(self, here: Installation, api: httpx.Client) -> None:
        self.here, self.api = here, api
        self._paths = [self._workspace(name) for name in ("first", "second")]

    def round(self, number: int) -> tuple[Plan, Plan]:
        """Return what the first and the second task of a new agent took."""
        folder = self.here.home / "agents"
        folder.mkdir(exist_ok=True)
        with agent(self.here, f"agent-{number}", folder / f"agent-{number}"):
            first, other = (self._planned(path) for path in self._paths)
        shutil.rmtree(folder / f"agent-{number}")
        return first, other

    def _workspace(self, name: str) -> str:
        path = f"/workspaces/{self._made('/workspaces', name=name)['workspace_id']}"
        self._made(f"{path}/configurations", files=configuration())
        self._made(f"{path}/variables", key="number", value="1", hcl=True)
        return path

    def _planned(self, path: str) -> Plan:
        noted: Path = self.here.home / "steps"
        noted.write_text("")
        task = f"{path}/tasks/{self._made(f'{path}/tasks', task_type='plan')['id']}"
        row = until(self.api, task, lambda row: row["completed_at"] is not None)
        if row["status"] != "success":
            raise SystemExit(f"The task ended {row['status']}: {row['error_message']}")
        init = next(line.split() for line in noted.read_text().splitlines() if line.startswith("init "))
        whole = second(row["completed_at"]) - second(row["started_at"])
        return Plan(init=float(init[2]) - float(init[1]), whole=whole)

    def _made(self, path: str, **body: object) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.post(path, json=body).raise_for_status().json()
        return answer


def measure(bench: Bench, rounds: int) -> None:
    """Take turns, and print what is saved."""
    taken = [bench.round(number) for number in range(rounds + 1)][1:]  # the first turn warms the server up
    firsts, seconds = [first for first, _ in taken], [other for _, other in taken]
    _show(seconds, firsts)


def _show(warm: Sequence[Plan], cold: Sequence[Plan]) -> None:
    for part, what in (("init", "init"), ("whole", "plan phase")):
        ours, peer = ([getattr(each, part) for each in some] for some in (warm, cold))
        figures.ratio(f"{what}, second task of an agent", ours=ours, peer=peer, peer_name="its first", goal=GOALS[part])
    saved = median(first.init - other.init for first, other in zip(cold, warm, strict=True))
    print(f"  init is {saved:.2f} s shorter")


if __name__ == "__main__":
    if ENGINE is None:
        raise SystemExit("terraform is not in the PATH; install it and try again.")
    with installed() as installation, installation.client() as client:
        note_steps(installation.home / "wrapper")
        os.environ["IAC_AGENT_CLI_CONFIG"] = str(provider.mirrored(installation.home))
        measure(Bench(installation, client), int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
