"""Values reach terraform as terraform itself would take them, with a real terraform."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.protocol import Finished
from tests.runner.fake_platform import FakePlatform

STATE = "/api/v1/workspaces/ws-0123456789/state"
VALUES = {
    "text": ("string", "plain", False, "plain"),
    "template": ("string", "${1 + 1} %{ if true }x", False, "${1 + 1} %{ if true }x"),
    "quotes": ("string", 'a "b" \\ c\nsecond\ttab', False, 'a "b" \\ c\nsecond\ttab'),
    "unicode": ("string", "Grüße, 世界 🎉", False, "Grüße, 世界 🎉"),
    "empty": ("string", "", False, ""),
    "number": ("number", "42", False, 42),
    "switch": ("bool", "true", False, True),
    "numeral": ("string", "007", False, "007"),
    "list": ("list(string)", '["a", "b${1 + 1}"]', True, ["a", "b2"]),
    "object": ("object({ a = number, b = bool })", "{\n  a = 1\n  b = true\n}", True, {"a": 1, "b": True}),
    "nothing": ("string", "null", True, None),
    "heredoc": ("string", "<<EOT\nline\nEOT", True, "line\n"),
    "json": ("any", '{"k": [1, 2]}', True, {"k": [1, 2]}),
    "beats_auto": ("string", "workspace", False, "workspace"),
}


def _configuration() -> str:
    declared = "".join(f'variable "{name}" {{\n  type = {kind}\n}}\n' for name, (kind, *_) in VALUES.items())
    shown = "\n".join(f"{name} = var.{name}" for name in VALUES)
    return f'{declared}output "all" {{\n  value = jsonencode({{\n{shown}\n}})\n}}\n'


def _variables() -> list[dict[str, Any]]:
    return [
        {"key": name, "value": value, "category": "terraform", "hcl": hcl, "sensitive": False}
        for name, (_, value, hcl, _) in VALUES.items()
    ]


@pytest.fixture
def run(
    platform: FakePlatform, start_agent: Callable[..., Any], job: Callable[..., Any], eventually: Callable[..., None]
) -> Callable[..., Finished]:
    """Return a function that plans and, when that went well, applies."""
    start_agent()

    def _run(**members: Any) -> Finished:
        platform.offer(job(**members))
        eventually(lambda: platform.result(1))
        planned = platform.result(1)
        assert planned
        if planned.outcome != "planned":
            return planned
        platform.offer(job(epoch=2, phase="apply", plan=platform.stored_plan(1), **members))
        eventually(lambda: platform.result(1, 2))
        applied = platform.result(1, 2)
        assert applied
        return applied

    return _run


def test_values_arrive_as_they_were_given(run: Callable[..., Finished], platform: FakePlatform) -> None:
    files = {"main.tf": _configuration(), "zz.auto.tfvars": 'beats_auto = "file"\n'}
    result = run(files=files, variables=_variables())
    assert result.outcome == "applied", result.error_message
    outputs = json.loads(platform.store.states[STATE].body)["outputs"]
    assert json.loads(outputs["all"]["value"]) == {name: expected for name, (*_, expected) in VALUES.items()}


def test_values_arrive_as_they_do_by_hand(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(_configuration())
    (tmp_path / "empty.tfrc").touch()
    expressions = [f"{name} = {value}\n" for name, (_, value, is_hcl, _) in VALUES.items() if is_hcl]
    (tmp_path / "expressions.auto.tfvars").write_text("".join(expressions))
    given = {f"TF_VAR_{name}": value for name, (_, value, is_hcl, _) in VALUES.items() if not is_hcl}
    own = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": str(tmp_path / "empty.tfrc"), "CHECKPOINT_DISABLE": "1"}
    for command in (["init"], ["apply", "-auto-approve"]):
        subprocess.run(["terraform", *command, "-input=false"], cwd=tmp_path, env={**own, **given}, check=True)
    outputs = json.loads((tmp_path / "terraform.tfstate").read_text())["outputs"]
    assert json.loads(outputs["all"]["value"]) == {name: expected for name, (*_, expected) in VALUES.items()}


def test_an_ephemeral_variable_is_given_again_at_apply(run: Callable[..., Finished]) -> None:
    files = {
        "main.tf": 'variable "token" {\n  ephemeral = true\n}\nresource "terraform_data" "one" {\n'
        '  provisioner "local-exec" {\n    command = "test \\"$T\\" = handed-over"\n'
        "    environment = {\n      T = var.token\n    }\n  }\n}\n"
    }
    variable = {"key": "token", "value": "handed-over", "category": "terraform", "hcl": False, "sensitive": True}
    result = run(files=files, variables=[variable])
    assert result.outcome == "applied", result.error_message


def test_an_expression_that_does_not_parse_fails_in_terraforms_words(run: Callable[..., Finished]) -> None:
    variable = {"key": "list", "value": "[1, ", "category": "terraform", "hcl": True, "sensitive": False}
    result = run(files={"main.tf": 'variable "list" {}\n'}, variables=[variable])
    assert (result.outcome, result.error_code) == ("failed", "engine_failed")
    assert "expressions.tfvars line 2" in result.error_message


def test_a_name_that_no_variable_can_have_is_refused(run: Callable[..., Finished]) -> None:
    variable = {"key": "x = 1\ny", "value": "1", "category": "terraform", "hcl": True, "sensitive": False}
    result = run(variables=[variable])
    assert (result.outcome, result.error_code) == ("failed", "variable_refused")
