"""The real terraform on somebody's laptop, with a workspace as its `http` backend."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from workspaces import states
from workspaces.models import StateLock, StateVersion, Workspace
from workspaces.state_api import person

pytestmark = pytest.mark.django_db(transaction=True)

CONFIGURATION = """
terraform {
  backend "http" {}
}
variable "note" {
  default = "one"
}
resource "terraform_data" "one" {
  input = var.note
}
output "note" {
  value = terraform_data.one.output
}
"""


@dataclass
class Laptop:
    """A folder with a configuration, and terraform with the backend's address and credentials."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Return what terraform answered."""
        terraform = shutil.which("terraform")
        assert terraform is not None, "These tests need terraform."
        command = [terraform, *words, "-no-color"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )

    def do(self, *words: str) -> str:
        """Return terraform's output; fail with its words where it says no."""
        answer = self.run(*words)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout


@pytest.fixture
def workspace() -> Workspace:
    """The workspace that keeps the state."""
    return factories.workspace(name="laptop")


@pytest.fixture
def laptop(live_server: Any, workspace: Workspace, tmp_path: Path) -> Laptop:
    """A laptop that has been initialized; the token is the password of basic authentication."""
    address = f"{live_server.url}/api/v1/workspaces/{workspace.pk}/state"
    rc = tmp_path / "terraform.rc"
    rc.write_text("")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TF_CLI_CONFIG_FILE": str(rc),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        "TF_HTTP_ADDRESS": address,
        "TF_HTTP_LOCK_ADDRESS": address,
        "TF_HTTP_UNLOCK_ADDRESS": address,
        "TF_HTTP_USERNAME": "ann",
        "TF_HTTP_PASSWORD": factories.token(factories.admin("ann")),
        "TF_HTTP_RETRY_MAX": "0",
    }
    folder = tmp_path / "configuration"
    folder.mkdir()
    (folder / "main.tf").write_text(CONFIGURATION)
    made = Laptop(folder, environment)
    made.do("init", "-input=false")
    return made


def test_plan_apply_and_destroy_keep_their_state_here(laptop: Laptop, workspace: Workspace) -> None:
    assert "1 to add" in laptop.do("plan", "-input=false")
    laptop.do("apply", "-input=false", "-auto-approve")
    assert "No changes" in laptop.do("plan", "-input=false")
    assert laptop.do("output", "-raw", "note") == "one"
    laptop.do("apply", "-input=false", "-auto-approve", "-var", "note=two")
    laptop.do("destroy", "-input=false", "-auto-approve", "-var", "note=two")
    rows = list(StateVersion.objects.filter(workspace=workspace).order_by("serial"))
    assert len(rows) >= 3 and len({row.lineage for row in rows}) == 1
    assert (rows[0].created_by, rows[-1].resources) == ("user:ann", 0)
    assert not StateLock.objects.exists()


def test_who_finds_it_locked_is_shown_the_holder_and_can_break_it(laptop: Laptop, workspace: Workspace) -> None:
    info = {
        "ID": "5ecd1e55-0000-0000-0000-000000000000",
        "Who": "bob@desk",
        "Operation": "OperationTypeApply",
        "Info": "",
    }
    states.lock(workspace.pk, info["ID"], info, person(factories.admin("bob"), workspace.pk))
    refused = laptop.run("apply", "-input=false", "-auto-approve")
    assert refused.returncode == 1
    assert "Error acquiring the state lock" in refused.stderr
    # Of the answer, which names the holder, terraform 1.11 prints the id alone and its own details below.
    assert f"already locked:\nID={info['ID']}" in refused.stderr
    assert not StateVersion.objects.exists()
    laptop.do("force-unlock", "-force", info["ID"])
    assert not StateLock.objects.exists()
    laptop.do("apply", "-input=false", "-auto-approve")


def test_an_apply_without_a_lock_is_taken_while_nobody_holds_it(laptop: Laptop, workspace: Workspace) -> None:
    laptop.do("apply", "-input=false", "-auto-approve", "-lock=false")
    assert StateVersion.objects.filter(workspace=workspace).exists()


def test_a_state_of_another_lineage_is_refused(laptop: Laptop, workspace: Workspace) -> None:
    laptop.do("apply", "-input=false", "-auto-approve")
    (laptop.folder / "foreign.tfstate").write_bytes(factories.state(99, lineage="another"))
    refused = laptop.run("state", "push", "-force", "foreign.tfstate")
    assert refused.returncode == 1
    newest = StateVersion.objects.newest_of(workspace.pk)
    assert newest is not None and newest.lineage != "another"


def test_a_wrong_token_is_told(laptop: Laptop) -> None:
    laptop.environment["TF_HTTP_PASSWORD"] = "wrong"
    refused = laptop.run("plan", "-input=false")
    assert refused.returncode == 1 and "auth" in refused.stderr.lower()
