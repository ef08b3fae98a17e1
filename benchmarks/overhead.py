"""What the platform adds to an engine: create → applied, beside the same commands by hand with the same backend.

`python -m benchmarks.overhead [SECONDS] [RUNS]`: the configuration takes about SECONDS to apply (0: the trivial one).
Both sides start from an empty folder, change every resource, keep their state in the platform, and take turns. The
starts of the engine are counted through a wrapper that both sides use.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from benchmarks import figures
from benchmarks.installation import Installation, agent, installed

ENGINE_NAME = "terraform"
ENGINE = shutil.which(ENGINE_NAME)
STARTS_OF_A_TASK = (["init", "plan", "show", "apply"], ["init", "plan", "show", "init", "apply"])
"""What is in order (design section 10): an apply in the planner's own folder needs no second init."""

LOOK_SECONDS = 0.2
"""How often the task is looked at; each look costs the server 10 ms that the task would otherwise have."""

TRIVIAL = """
variable "number" { type = number }
resource "terraform_data" "one" {
  count = 4
  input = var.number
}
"""
SLOW = """
variable "number" { type = number }
resource "terraform_data" "slow" {
  triggers_replace = var.number
  provisioner "local-exec" { command = "sleep %d" }
}
"""


@dataclass(frozen=True)
class Bench:
    """Two workspaces with the same configuration: one run by the platform, one by hand."""

    here: Installation
    api: httpx.Client
    files: dict[str, str]
    starts: Path  # a line for each start of the engine

    def workspace(self, name: str) -> str:
        """Return a new workspace with the configuration."""
        facts = {"name": name, "auto_apply": True}
        made: str = self.api.post("/workspaces", json=facts).raise_for_status().json()["workspace_id"]
        self.api.post(f"/workspaces/{made}/configurations", json={"files": self.files}).raise_for_status()
        return made

    def read_starts(self) -> list[str]:
        """Return the commands that the engine was started with."""
        return self.starts.read_text().split()

    def by_platform(self, workspace: str, variable: str, number: int) -> float:
        """Return the seconds from the request to `completed_at`, which the platform writes by this machine's clock."""
        self.api.patch(f"/workspaces/{workspace}/variables/{variable}", json={"value": str(number)}).raise_for_status()
        begin = time.time()
        task = self.api.post(f"/workspaces/{workspace}/tasks", json={"task_type": "plan_and_apply"})
        path = f"/workspaces/{workspace}/tasks/{task.raise_for_status().json()['id']}"
        while (status := self.api.get(path).raise_for_status().json())["completed_at"] is None:
            time.sleep(LOOK_SECONDS)
        if status["status"] != "applied":
            raise SystemExit(f"The task ended {status['status']}: {status['error_message']}")
        return datetime.fromisoformat(status["completed_at"]).timestamp() - begin

    def by_hand(self, workspace: str, folder: Path, number: int) -> float:
        """Return the seconds that the same commands take on their own."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, text in self.files.items():
            (folder / name).write_text(text)
        (folder / "backend_override.tf.json").write_text(json.dumps({"terraform": {"backend": {"http": {}}}}))
        (folder / "values.tfvars.json").write_text(json.dumps({"number": number}))
        begin = time.monotonic()
        for arguments in _commands():
            self._run(arguments, workspace, folder)
        return time.monotonic() - begin

    def _run(self, arguments: list[str], workspace: str, folder: Path) -> None:
        address = f"{self.here.url}/api/v1/workspaces/{workspace}/state"
        places = dict.fromkeys(("TF_HTTP_ADDRESS", "TF_HTTP_LOCK_ADDRESS", "TF_HTTP_UNLOCK_ADDRESS"), address)
        login = {"TF_HTTP_USERNAME": "admin", "TF_HTTP_PASSWORD": self.here.token}
        settings = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
        environment = {**os.environ, **places, **login, **settings}
        done = subprocess.run([ENGINE_NAME, *arguments], cwd=folder, env=environment, capture_output=True, check=False)
        if done.returncode not in {0, 2}:
            raise SystemExit(done.stderr.decode() or done.stdout.decode())


def _commands() -> list[list[str]]:
    plan = ["plan", "-input=false", "-json", "-out=plan.bin", "-detailed-exitcode", "-var-file=values.tfvars.json"]
    return [
        ["init", "-input=false"],
        plan,
        ["show", "-json", "plan.bin"],
        ["apply", "-input=false", "-json", "plan.bin"],
    ]


def measure(here: Installation, seconds: int, runs: int) -> None:
    """Take turns and print the ratio."""
    files = {"main.tf": SLOW % seconds if seconds else TRIVIAL}
    with here.client() as api, agent(here, "bench", here.home / "agent"):
        bench = Bench(here, api, files, here.home / "starts")
        mine, theirs = _take_turns(bench, runs)
    print(f"starts of the engine for the last task: {' '.join(bench.read_starts())}")
    what = f"create → applied, {f'{seconds} s of work' if seconds else 'trivial'}"
    figures.ratio(what, ours=mine, peer=theirs, peer_name="by hand", goal=1.05 if seconds >= 60 else 1.35)


def _take_turns(bench: Bench, runs: int) -> tuple[list[float], list[float]]:
    platform, hand = bench.workspace("by-platform"), bench.workspace("by-hand")
    facts = {"key": "number", "value": "0", "hcl": True}
    made = bench.api.post(f"/workspaces/{platform}/variables", json=facts).raise_for_status().json()
    mine, theirs = [], []
    for number in range(runs + 1):
        theirs.append(bench.by_hand(hand, bench.here.home / "by-hand", number + 1))
        bench.starts.write_text("")
        mine.append(bench.by_platform(platform, str(made["id"]), number + 1))
        if bench.read_starts() not in STARTS_OF_A_TASK:
            raise SystemExit(f"The engine was started for {bench.read_starts()}: that is more than it needs.")
    return mine[1:], theirs[1:]  # the first turn warms both up


def count_starts(folder: Path) -> None:
    """Put a wrapper of the engine first in the path; it writes down each start's command."""
    folder.mkdir()
    wrapper = folder / ENGINE_NAME
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = version ] || echo "$1" >> "{folder.parent}/starts"\nexec "{ENGINE}" "$@"\n'
    )
    wrapper.chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


if __name__ == "__main__":
    if ENGINE is None:
        raise SystemExit("terraform is not in the PATH; install it and try again.")
    wanted = [int(argument) for argument in sys.argv[1:]]
    with installed() as installation:
        count_starts(installation.home / "wrapper")
        measure(installation, *(wanted + [0, 7][len(wanted) :]))
