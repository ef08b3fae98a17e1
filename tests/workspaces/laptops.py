"""The real terraform on somebody's laptop, with a workspace as its `http` backend."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests import factories
from workspaces.models import Workspace

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


def laptop(server: str, workspace: Workspace, folder: Path) -> Laptop:
    """Return a laptop of ann's that has been initialized; the token is the password of basic authentication."""
    address = f"{server}/api/v1/workspaces/{workspace.pk}/state"
    rc, configuration = folder / "terraform.rc", folder / "configuration"
    rc.write_text("")
    configuration.mkdir()
    (configuration / "main.tf").write_text(CONFIGURATION)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TF_CLI_CONFIG_FILE": str(rc),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        **dict.fromkeys(("TF_HTTP_ADDRESS", "TF_HTTP_LOCK_ADDRESS", "TF_HTTP_UNLOCK_ADDRESS"), address),
        "TF_HTTP_USERNAME": "ann",
        "TF_HTTP_PASSWORD": factories.token(factories.admin("ann")),
        "TF_HTTP_RETRY_MAX": "0",
    }
    made = Laptop(configuration, environment)
    made.do("init", "-input=false")
    return made
