"""Tokens and sensitive values are where they must be and nowhere else."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.runner.fake_platform import POOL_TOKEN, FakePlatform
from tests.runner.scene import Scene
from tests.waiting import ENOUGH_SECONDS

SECRET = "s3cret-Pässword\nsecond line of it"
TOKEN = "attempt-token-1-1"
VARIABLE = {"key": "password", "value": SECRET, "category": "terraform", "hcl": False, "sensitive": True}
LEAKY = """
variable "password" {}
resource "terraform_data" "leak" {
  input = var.password
}
output "encoded" {
  value = base64encode(var.password)
}
output "quoted" {
  value = urlencode(var.password)
}
"""


@pytest.fixture
def leaked(
    platform: FakePlatform, start_agent: Callable[..., Any], job: Callable[..., Any], eventually: Callable[..., None]
) -> FakePlatform:
    """A platform after a real plan and apply of a configuration that prints its secret in every way."""
    start_agent()
    members = {"files": {"main.tf": LEAKY}, "variables": [VARIABLE]}
    platform.offer(job(**members))
    eventually(lambda: platform.result(1))
    platform.offer(job(epoch=2, phase="apply", plan=platform.stored_plan(1), **members))
    eventually(lambda: platform.result(1, 2))
    return platform


def test_no_form_of_a_sensitive_value_reaches_the_log_or_the_plan_json(leaked: FakePlatform) -> None:
    result = leaked.result(1, 2)
    assert result and result.outcome == "applied"
    everything = leaked.log(1) + leaked.log(1, 2) + leaked.parts(1)["json"].decode()
    assert "(sensitive value)" in everything
    for form in ("s3cret", "Pässword", "second line", "czNjcmV0", "UMOkc3N3b3Jk", "second%20line", "second+line"):
        assert form not in everything


def test_the_plan_file_holds_neither_address_nor_token(leaked: FakePlatform, tmp_path: Path) -> None:
    file = tmp_path / "plan"
    file.write_bytes(leaked.parts(1)["file"])
    with zipfile.ZipFile(file) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"terraform_data" in content
    for secret in (TOKEN, leaked.address.partition("//")[2], POOL_TOKEN):
        assert secret.encode() not in content


@pytest.mark.usefixtures("fake_agent")
def test_arguments_hold_no_value_and_no_token(scene: Scene) -> None:
    scene.platform.offer(scene.job(behaviour={"plan": {"until": scene.gate()}}, variables=[VARIABLE]))
    line = processes.arguments(scene.process_of("plan"))
    scene.open_gate()
    assert "-var-file=" in line
    assert scene.result().outcome == "planned"
    for secret in ("s3cret", TOKEN, POOL_TOKEN):
        assert secret not in line


@pytest.mark.usefixtures("fake_agent")
def test_the_engine_gets_a_clean_environment(scene: Scene) -> None:
    variables = [
        {"key": "AWS_REGION", "value": "eu-central-1", "category": "env", "hcl": False, "sensitive": False},
        {"key": "TF_VAR_size", "value": "3", "category": "env", "hcl": False, "sensitive": False},
    ]
    scene.run(scene.job(variables=variables))
    environment = next(line["environment"] for line in scene.ledger() if line.get("start") == "plan")
    assert POOL_TOKEN not in json.dumps(environment)
    assert not [name for name in environment if name.startswith("IAC_")]
    assert (environment["AWS_REGION"], environment["TF_VAR_size"]) == ("eu-central-1", "3")
    assert environment["TF_HTTP_PASSWORD"] == TOKEN
    assert Path(environment["TF_CLI_CONFIG_FILE"]).is_file()
    assert environment["HOME"].endswith("/tasks/1/run/home")


@pytest.mark.usefixtures("fake_agent")
@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "TF_CLI_ARGS_apply", "TF_HTTP_ADDRESS", "TF_LOG", "IAC_X", "GIT_SSH", "a b"]
)
def test_a_workspace_cannot_set_what_would_turn_the_engine(scene: Scene, name: str) -> None:
    variable = {"key": name, "value": "x", "category": "env", "hcl": False, "sensitive": False}
    result = scene.run(scene.job(variables=[variable]))
    assert (result.outcome, result.error_code) == ("failed", "variable_refused")
    assert scene.starts() == []


def test_the_agents_own_log_names_tasks_and_no_secrets(scene: Scene, start_agent: Callable[..., Any]) -> None:
    agent: subprocess.Popen[str] = start_agent(PATH=scene.path)
    scene.run(scene.job(variables=[VARIABLE]))
    agent.terminate()
    _, errors = agent.communicate(timeout=ENOUGH_SECONDS)
    assert "INFO task 1: " in errors
    for secret in ("s3cret", TOKEN, POOL_TOKEN):
        assert secret not in errors
