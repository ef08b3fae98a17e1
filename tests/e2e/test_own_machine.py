"""A user's own terraform with `backend "http"`: it shares state and lock with the platform's tasks."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.e2e.work import Task, Workspace
from tests.waiting import until

BACKEND = 'terraform {\n  backend "http" {}\n}\n'


class OwnMachine:
    """A folder with a workspace's configuration, and a terraform that keeps its state on the platform."""

    def __init__(self, folder: Path, workspace: Workspace, files: dict[str, str]) -> None:
        self.folder = folder
        self._state = f"{workspace.client.url}/api/v1{workspace.path}/state"
        self._token = workspace.client.token
        for name, text in {**files, "backend.tf": BACKEND}.items():
            (folder / name).write_text(text)

    def terraform(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Return what a command said."""
        command = ["terraform", *arguments, "-no-color", "-input=false"]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment(), capture_output=True, text=True, check=False
        )
        done.stdout += done.stderr
        return done

    def _environment(self) -> dict[str, str]:
        names = ("TF_HTTP_ADDRESS", "TF_HTTP_LOCK_ADDRESS", "TF_HTTP_UNLOCK_ADDRESS")
        methods = {"TF_HTTP_LOCK_METHOD": "LOCK", "TF_HTTP_UNLOCK_METHOD": "UNLOCK"}
        login = {"TF_HTTP_USERNAME": "admin", "TF_HTTP_PASSWORD": self._token}
        empty = self.folder / "empty.tfrc"
        empty.touch()
        own = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": str(empty), "CHECKPOINT_DISABLE": "1"}
        return {**dict.fromkeys(names, self._state), **methods, **login, **own}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "own"
    made.mkdir()
    return made


def test_a_user_is_told_who_holds_the_state_and_goes_on_after(crew: Crew, gated: Gated, folder: Path) -> None:
    crew.agent("one")
    workspace = crew.workspace(gated.files, auto_apply=True)
    mine = OwnMachine(folder, workspace, gated.files)
    task = workspace.task()
    until("the apply has begun", lambda: gated.ticks() > 5)
    assert mine.terraform("init").returncode == 0
    refused = mine.terraform("apply", "-auto-approve")
    assert refused.returncode == 1
    assert "Error acquiring the state lock" in refused.stdout
    assert f"ID={_lock_of(workspace, task)}" in refused.stdout
    gated.open()
    task.until("applied")
    clean = mine.terraform("plan", "-detailed-exitcode")
    assert clean.returncode == 0, clean.stdout
    assert gated.ledger() == ["begun", "ended"]


def test_a_users_own_apply_is_the_next_version_and_makes_plans_stale(crew: Crew, folder: Path) -> None:
    files = {"main.tf": 'resource "terraform_data" "one" {\n  input = "mine"\n}\n'}
    crew.agent("one")
    workspace = crew.workspace(files)
    task = workspace.task()
    task.until("apply_pending")
    mine = OwnMachine(folder, workspace, files)
    assert mine.terraform("init").returncode == 0
    applied = mine.terraform("apply", "-auto-approve")
    assert applied.returncode == 0, applied.stdout
    assert [version["created_by"] for version in workspace.states()] == ["user:admin"]
    until("the plan is stale", lambda: task.row()["wait_reason"]["code"] == "plan_stale")
    assert crew.client.refused("POST", f"{task.path}/confirm-apply", {})["code"] == "plan_stale"


def _lock_of(workspace: Workspace, task: Task) -> str:
    """Return the id of the state lock, which the answer says to be the task's. Terraform shows no more than the id."""
    answer = workspace.client.send("LOCK", f"{workspace.path}/state", {"ID": "another"})
    assert answer.status_code == 423 and f"task:{task.id}" in answer.json()["detail"], answer.text
    lock_id: str = answer.json()["ID"]
    return lock_id
