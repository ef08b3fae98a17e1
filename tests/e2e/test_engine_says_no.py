"""What the engine refuses ends the task with the engine's own words; a missing engine at once, and with what to do."""

import pytest

from tests.e2e.configurations import failing_apply, trivial
from tests.e2e.crew import Crew
from tests.e2e.work import Task

UNDECLARED = {"main.tf": 'resource "terraform_data" "one" {\n  input = terraform_data.nobody.output\n}\n'}
NO_PROVIDER = {
    "main.tf": 'terraform {\n  required_providers {\n    ghost = { source = "localhost/nobody/ghost" }\n  }\n}\n'
    'resource "ghost_thing" "one" {}\n'
}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        pytest.param(UNDECLARED, "Reference to undeclared resource", id="bad HCL"),
        pytest.param(NO_PROVIDER, "localhost/nobody/ghost", id="missing provider"),
    ],
)
def test_a_plan_that_terraform_refuses_fails_with_its_words(crew: Crew, files: dict[str, str], words: str) -> None:
    crew.agent("one")
    task = crew.workspace(files).task()
    failed = task.until("failed")
    assert failed["error_code"] == "engine_failed"
    assert words in failed["error_message"] and words in task.log("plan")
    assert crew.workspace(trivial()).task().until("apply_pending")


def test_an_apply_that_fails_says_why_and_saves_the_state(crew: Crew) -> None:
    crew.agent("one")
    task = crew.workspace(failing_apply("the disk is full of eels"), auto_apply=True).task()
    failed = task.until("failed")
    assert failed["error_code"] == "engine_failed"
    assert "the disk is full of eels" in failed["error_message"]
    assert "the disk is full of eels" in task.log("apply")
    state = task.workspace.state()
    assert state and [each["instances"][0]["status"] for each in state["resources"]] == ["tainted"]
    assert not task.workspace.row()["is_locked"]
    follow_up = crew.client.post(f"{task.path}/retry", status=201)
    assert Task(task.workspace, follow_up["id"]).until("failed")["id"] != task.id


def test_a_missing_engine_fails_the_task_at_once_and_says_what_to_do(crew: Crew) -> None:
    crew.agent("bare", PATH="/usr/bin:/bin")
    task = crew.workspace(trivial()).task()
    failed = task.until("failed")
    assert failed["error_code"] == "engine_missing"
    assert "has no terraform" in failed["error_message"] and "Put the binary on" in failed["error_message"]
    assert len(task.happened("accepted")) == 1
