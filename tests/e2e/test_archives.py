"""A configuration that came as an archive, and the files that a plan makes beside it: planned here, applied elsewhere."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import archives
from tests.e2e.crew import Crew
from tests.e2e.work import Task, Workspace

MAIN = """
variable "ledger" { type = string }

module "greeting" {
  source = "../modules/greeting"
  name   = "archive"
}

resource "terraform_data" "deploy" {
  input = module.greeting.words
  provisioner "local-exec" {
    command = "cat '${path.module}/built/package.zip' >> '${var.ledger}'"
  }
  provisioner "local-exec" {
    command = "echo '${templatefile("${path.module}/built/notes.tftpl", { who = "everybody" })}' >> '${var.ledger}'"
  }
}

output "words" { value = terraform_data.deploy.output }
"""

FILES = {
    "live/main.tf": MAIN,
    "live/.terraform.lock.hcl": "# kept by the team\n",
    "modules/greeting/main.tf": 'variable "name" { type = string }\n'
    'module "inner" {\n  source = "./inner"\n  name   = var.name\n}\n'
    'output "words" { value = module.inner.words }\n',
    "modules/greeting/inner/main.tf": 'variable "name" { type = string }\n'
    'output "words" { value = templatefile("${path.module}/words.tftpl", { name = var.name }) }\n',
    "modules/greeting/inner/words.tftpl": "Greetings from the ${name}.",
}

ENGINE = """#!/bin/sh
if [ "$1" = plan ]; then
  mkdir -p built
  printf 'packed by the plan;' > built/package.zip
  printf '%s' 'made for ${who}' > built/notes.tftpl
fi
exec REAL "$@"
"""
"""Terraform, with a plan that makes files as `archive_file` does: the engine's own resources make none before an apply."""


@pytest.fixture
def packing(tmp_path: Path) -> str:
    """A PATH whose terraform makes files while it plans."""
    real = shutil.which("terraform")
    assert real, "terraform is not installed"
    engine = tmp_path / "bin" / "terraform"
    engine.parent.mkdir()
    engine.write_text(ENGINE.replace("REAL", real))
    engine.chmod(0o755)
    return f"{engine.parent}:/usr/local/bin:/usr/bin:/bin"


def configure(workspace: Workspace, files: dict[str, str], kind: str) -> None:
    """Upload the files as texts or as an archive."""
    if kind == "files":
        workspace.configure(files)
    else:
        upload(workspace, archives.packed(files, prefix="./"))


def upload(workspace: Workspace, content: bytes) -> dict[str, Any]:
    answer = workspace.client.send("POST", f"{workspace.path}/configurations", files={"archive": ("c.tgz", content)})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def applied_elsewhere(crew: Crew, task: Task) -> dict[str, Any]:
    """Lose the agent that planned with its disk, confirm, and return the task that another agent has applied."""
    planned = task.until("apply_pending")
    crew.part("planner").kill()
    crew.workdir("planner").rename(crew.platform.home / f"lost-{task.id}")
    crew.agent("other")
    task.confirm(plan_digest=planned["plan_digest"])
    return task.until("applied")


@pytest.mark.parametrize("kind", ["files", "archive"])
def test_files_of_the_plan_and_modules_in_sub_folders_reach_the_agent_that_applies(
    crew: Crew, tmp_path: Path, packing: str, kind: str
) -> None:
    ledger = tmp_path / "ledger"
    crew.agent("planner", PATH=packing)
    workspace = crew.workspace(working_directory="live")
    configure(workspace, FILES, kind)
    workspace.set("ledger", str(ledger))
    done = applied_elsewhere(crew, workspace.task())
    assert (done["agent_id"], done["plan_count"]) == (crew.agent_id("other"), 1)
    assert ledger.read_text() == "packed by the plan;made for everybody\n"
    state = workspace.state()
    assert state and state["outputs"]["words"]["value"] == "Greetings from the archive."


def test_versions_are_downloaded_as_they_came_and_compared_once_planned(crew: Crew) -> None:
    crew.agent("planner")
    workspace = crew.workspace({"main.tf": 'output "a" { value = 1 }\n'})
    content = archives.packed({"main.tf": 'output "a" { value = 2 }\n', "notes.txt": "new"}, prefix="./")
    assert upload(workspace, content)["number"] == 2
    path = f"{workspace.path}/configurations/2"
    assert crew.client.send("GET", f"{path}/download").content == content
    early = crew.client.send("GET", f"{path}/difference", params={"from": 1})
    assert early.json()["code"] == "not_unpacked"
    workspace.task("plan").until("success")
    shown = crew.client.get(f"{path}/difference", params={"from": 1})
    assert [[each["path"] for each in shown[change]] for change in ("changed", "added", "removed")] == [
        ["main.tf"],
        ["notes.txt"],
        [],
    ]


def test_an_archive_that_no_agent_can_use_fails_in_words_and_changes_nothing(crew: Crew) -> None:
    crew.agent("planner")
    workspace = crew.workspace({"main.tf": 'resource "terraform_data" "one" {}\n'}, auto_apply=True)
    workspace.task().until("applied")
    before = workspace.state()
    upload(workspace, archives.packed({"folder/main.tf": 'resource "terraform_data" "one" {}\n'}))
    failed = workspace.task().until("failed")
    assert failed["error_code"] == "configuration_invalid"
    assert "There are some in 'folder'" in failed["error_message"]
    assert workspace.state() == before


def test_a_large_upload_is_not_parsed_in_memory(crew: Crew) -> None:
    """Without our own requests Twisted parses the form as well, at more than ten times its size."""
    workspace, web = crew.workspace(), crew.platform.web.pid
    upload(workspace, archives.packed({"main.tf": ""}))
    peak_mib(web)
    before = peak_mib(web)
    size_mib = 24
    upload(workspace, archives.packed({"main.tf": "", "random.bin": os.urandom(size_mib * 1024**2)}))
    assert peak_mib(web) - before < 4 * size_mib


def peak_mib(pid: int) -> int:
    """Return the most memory that the process has had since the last time that this was asked."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
