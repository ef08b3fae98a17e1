"""Real terraform refuses: the task gets terraform's own words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from agents.protocol import Finished
from tests.runner.fake_platform import FakePlatform

STATE = "/api/v1/workspaces/ws-0123456789/state"
FAILING = 'resource "terraform_data" "bad" {\n  provisioner "local-exec" {\n    command = "exit 7"\n  }\n}\n'


@pytest.fixture
def run(
    platform: FakePlatform, start_agent: Callable[..., Any], job: Callable[..., Any], eventually: Callable[..., None]
) -> Callable[..., Finished]:
    """Return a function that runs a job to its result."""
    start_agent()

    def _run(**members: Any) -> Finished:
        wanted = job(**members)
        platform.offer(wanted)
        eventually(lambda: platform.result(wanted["task"], wanted["epoch"]))
        result = platform.result(wanted["task"], wanted["epoch"])
        assert result
        return result

    return _run


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('resource "terraform_data" "a" {\n  input = "1\n}\n', "Invalid multi-line string"),
        ('output "a" {\n  value = var.missing\n}\n', "Reference to undeclared input variable"),
        ('resource "nowhere_thing" "a" {}\n', "nowhere"),
        ('variable "needed" {}\n', "No value for required variable"),
    ],
)
def test_a_plan_fails_with_its_words(
    run: Callable[..., Finished], platform: FakePlatform, text: str, words: str
) -> None:
    result = run(files={"main.tf": text})
    assert (result.outcome, result.error_code, result.exit_code) == ("failed", "engine_failed", 1)
    assert words in result.error_message
    assert words in platform.log(1)


def test_an_apply_fails_with_its_words(run: Callable[..., Finished], platform: FakePlatform) -> None:
    run(files={"main.tf": FAILING})
    result = run(files={"main.tf": FAILING}, epoch=2, phase="apply", plan=platform.stored_plan(1))
    assert (result.outcome, result.error_code) == ("failed", "engine_failed")
    assert "local-exec provisioner error" in result.error_message


def test_a_plan_that_the_state_left_behind_is_stale(run: Callable[..., Finished], platform: FakePlatform) -> None:
    run()
    run(task=2)
    first, second = platform.stored_plan(1), platform.stored_plan(2)
    assert run(epoch=2, phase="apply", plan=first).outcome == "applied"
    before = platform.store.states[STATE].body
    result = run(task=2, epoch=2, phase="apply", plan=second)
    assert (result.outcome, result.error_code) == ("stale", "plan_stale")
    assert platform.store.states[STATE].body == before


def test_what_a_plan_is_bound_to_is_reported(run: Callable[..., Finished], platform: FakePlatform) -> None:
    files = {"main.tf": 'resource "terraform_data" "one" {\n  input = "a"\n}\noutput "o" {\n  value = 1\n}\n'}
    run(files=files)
    run(files=files, epoch=2, phase="apply", plan=platform.stored_plan(1))
    state = json.loads(platform.store.states[STATE].body)
    nothing = run(files=files, task=2).plan
    assert nothing and not nothing.has_changes
    assert (nothing.lineage, nothing.serial) == (state["lineage"], state["serial"])
    destroyed = run(files=files, task=3, task_type="destroy").plan
    assert destroyed and destroyed.has_changes
    assert (destroyed.changes.destroy, destroyed.changes.outputs) == (1, 1)


def test_outputs_alone_are_changes(run: Callable[..., Finished]) -> None:
    plan = run(files={"main.tf": 'output "o" {\n  value = 1\n}\n'}).plan
    assert plan and plan.has_changes and plan.changes.outputs == 1


@pytest.mark.parametrize("name", ["zz_override.tf", "zz_override.tf.json"])
def test_a_configuration_cannot_take_its_state_elsewhere(run: Callable[..., Finished], name: str) -> None:
    text = (
        '{"terraform": {"backend": {"local": {}}}}'
        if name.endswith("json")
        else 'terraform {\n  backend "local" {}\n}\n'
    )
    result = run(files={"main.tf": "", name: text})
    assert (result.outcome, result.error_code) == ("failed", "configuration_invalid")
    assert "override file" in result.error_message


@pytest.mark.parametrize("block", ['backend "local" {}', 'cloud {\n    organization = "x"\n  }'])
def test_a_configurations_own_backend_is_overridden(run: Callable[..., Finished], block: str) -> None:
    assert run(files={"main.tf": f"terraform {{\n  {block}\n}}\n"}).outcome == "planned"


def test_a_working_directory_is_where_terraform_runs(run: Callable[..., Finished], platform: FakePlatform) -> None:
    files = {
        "live/main.tf": 'module "m" {\n  source = "../module"\n}\n',
        "module/main.tf": 'output "o" {\n  value = 1\n}\n',
    }
    assert run(files=files, working_directory="live").outcome == "planned"
    result = run(task=2, files=files, working_directory="dead")
    assert "no folder 'dead'" in result.error_message


def test_a_state_that_could_not_be_stored_is_stored_later(run: Callable[..., Finished], platform: FakePlatform) -> None:
    run()
    state = platform.store.states[STATE]
    state.refuse = 1
    result = run(epoch=2, phase="apply", plan=platform.stored_plan(1))
    assert result.outcome == "failed"
    assert "Failed to save state" in result.error_message
    assert [resource["name"] for resource in json.loads(state.body)["resources"]] == ["one"]
    assert state.lock is None
    assert "The state is stored." in platform.log(1, 2)
