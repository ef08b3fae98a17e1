"""No sensitive value of a plan is shown, wherever terraform writes it; shown with plans that a real terraform made."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks import masking
from tasks.masking import MASK

SECRETS = ["hunter-two", "swordfish", "open sesame", "joshua-1983", "correct-horse", "default-pass", "constant-pass"]
MAIN = """
variable "password" {
  type      = string
  sensitive = true
}
variable "fallback" {
  type      = string
  sensitive = true
  default   = "default-pass"
}
variable "region" {
  type    = string
  default = "eu-west-1"
}
variable "platform_only" {
  type = string
}
variable "users" {
  type      = list(object({ name = string, key = string }))
  sensitive = true
}
resource "terraform_data" "nested" {
  input = {
    region = var.region
    login  = { name = "ann", password = var.password }
    keys   = [for user in var.users : user.key]
    plain  = ["one", "two"]
  }
}
resource "terraform_data" "leaky" {
  input = "prefix ${var.platform_only} suffix"
}
module "child" {
  source = "./child"
  token  = "constant-pass"
  note   = "a note"
}
output "password" {
  value     = var.password
  sensitive = true
}
output "region" {
  value = var.region
}
output "fallback" {
  value     = { deep = [var.fallback] }
  sensitive = true
}
output "nested" {
  value     = terraform_data.nested.id
  sensitive = true
}
"""
CHILD = """
variable "token" {
  type      = string
  sensitive = true
}
variable "note" {
  type = string
}
resource "terraform_data" "inner" {
  input = { token = var.token, note = var.note }
}
"""
FIRST = {
    "password": "swordfish",
    "platform_only": "correct-horse",
    "users": [{"name": "bob", "key": "open sesame"}],
}
SECOND = {
    "password": "hunter-two",
    "platform_only": "correct-horse",
    "users": [{"name": "bob", "key": "joshua-1983"}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A configuration that was applied once with other secrets."""
    if shutil.which("terraform") is None:
        pytest.fail("These tests need a terraform on PATH.")
    made = tmp_path_factory.mktemp("masking")
    (made / "child").mkdir()
    (made / "main.tf").write_text(MAIN)
    (made / "child" / "main.tf").write_text(CHILD)
    terraform(made, "init", "-input=false")
    values(made, FIRST)
    terraform(made, "apply", "-auto-approve", "-input=false")
    yield made


def terraform(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["terraform", *arguments], cwd=folder, capture_output=True, text=True, check=True, env=environment()
    )
    return done.stdout


def environment() -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


def values(folder: Path, given: dict[str, Any]) -> None:
    (folder / "terraform.tfvars.json").write_text(json.dumps(given))


@pytest.fixture(scope="module")
def plan(folder: Path) -> dict[str, Any]:
    """What `show -json` says of a plan that changes every secret."""
    values(folder, SECOND)
    terraform(folder, "plan", "-out=plan", "-input=false")
    shown: dict[str, Any] = json.loads(terraform(folder, "show", "-json", "plan"))
    return shown


@pytest.fixture(scope="module")
def masked(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan as people see it; the platform knows one variable to be sensitive that the configuration does not."""
    return masking.masked(plan, secrets={"platform_only": "correct-horse"})


def change(plan: dict[str, Any], address: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in plan["resource_changes"] if each["address"] == address)["change"]
    return found


def test_terraform_itself_writes_every_secret_into_the_plan(plan: dict[str, Any]) -> None:
    text = json.dumps(plan)
    assert [secret for secret in SECRETS if secret not in text] == []


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_left_anywhere(masked: dict[str, Any], secret: str) -> None:
    assert secret not in json.dumps(masked)


def test_before_and_after_are_masked_and_their_neighbours_are_not(masked: dict[str, Any]) -> None:
    nested = change(masked, "terraform_data.nested")
    for side in ("before", "after"):
        shown = nested[side]["input"]
        assert shown["login"] == {"name": "ann", "password": MASK}
        assert (shown["region"], shown["plain"]) == ("eu-west-1", ["one", "two"])


def test_sensitive_outputs_are_masked_and_others_shown(masked: dict[str, Any]) -> None:
    outputs = masked["planned_values"]["outputs"]
    assert (outputs["password"]["value"], outputs["fallback"]["value"]) == (MASK, MASK)
    assert outputs["region"]["value"] == "eu-west-1"
    assert masked["output_changes"]["password"]["after"] == MASK
    assert masked["prior_state"]["values"]["outputs"]["password"]["value"] == MASK


def test_sensitive_variables_are_masked_and_others_shown(masked: dict[str, Any]) -> None:
    shown = {name: held["value"] for name, held in masked["variables"].items()}
    assert shown == dict.fromkeys(("password", "fallback", "platform_only", "users"), MASK) | {"region": "eu-west-1"}
    assert masked["configuration"]["root_module"]["variables"]["fallback"]["default"] == MASK


def test_what_a_module_is_given_for_a_sensitive_variable_is_masked(masked: dict[str, Any]) -> None:
    given = masked["configuration"]["root_module"]["module_calls"]["child"]["expressions"]
    assert (given["token"], given["note"]) == (MASK, {"constant_value": "a note"})


def test_a_resource_that_a_sensitive_output_names_keeps_its_address(masked: dict[str, Any]) -> None:
    addresses = [each["address"] for each in masked["resource_changes"]]
    assert addresses == ["terraform_data.leaky", "terraform_data.nested", "module.child.terraform_data.inner"]


def test_the_platforms_own_secret_is_masked_inside_of_texts(masked: dict[str, Any]) -> None:
    assert change(masked, "terraform_data.leaky")["after"]["input"] == f"prefix {MASK} suffix"


def test_the_plan_that_was_given_stays_as_it_is(plan: dict[str, Any]) -> None:
    before = json.dumps(plan)
    masking.masked(plan)
    assert json.dumps(plan) == before


@pytest.mark.parametrize(
    ("value", "marks", "shown"),
    [
        ("secret", True, MASK),
        (5, True, MASK),
        (None, True, None),
        ({"a": 1}, True, MASK),
        ("plain", False, "plain"),
        ("plain", {}, "plain"),
        (["a", "b"], [False, True], ["a", MASK]),
        (["a", "b"], [True], [MASK, "b"]),
        (["a"], [False, True], ["a"]),
        ({"a": 1, "b": 2}, {"b": True, "c": True}, {"a": 1, "b": MASK}),
        ({"a": [{"b": "x"}]}, {"a": [{"b": True}]}, {"a": [{"b": MASK}]}),
        ("a text", {"b": True}, MASK),
        (["a"], {"b": True}, MASK),
        ({"a": 1}, [True], MASK),
        ({"a": 1}, [False], {"a": 1}),
    ],
)
def test_marks_hide_what_they_cover(value: Any, marks: Any, shown: Any) -> None:
    plan = {"resource_changes": [{"change": {"after": value, "after_sensitive": marks}}]}
    assert masking.masked(plan)["resource_changes"][0]["change"]["after"] == shown


def test_a_plan_without_its_configuration_shows_no_variable() -> None:
    assert masking.masked({"variables": {"region": {"value": "eu"}}})["variables"] == {"region": {"value": MASK}}


def test_short_texts_are_not_looked_for_elsewhere() -> None:
    hidden = {"after": {"a": "on", "b": "on"}, "after_sensitive": {"a": True}}
    assert masking.masked({"resource_changes": [{"change": hidden}]})["resource_changes"][0]["change"]["after"] == {
        "a": MASK,
        "b": "on",
    }


def test_a_text_with_quotes_is_found_where_it_was_written_as_json() -> None:
    secret = 'say "friend"'
    plan = {"planned_values": {"note": json.dumps({"word": secret})}}
    assert "friend" not in json.dumps(masking.masked(plan, secrets={"word": secret}))
