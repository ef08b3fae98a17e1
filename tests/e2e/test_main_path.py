"""Configuration, plan, a person's word, apply: from the first request to the outputs."""

import json
from pathlib import Path

import pytest

from tests.e2e.configurations import outputs_only, trivial
from tests.e2e.crew import Crew
from tests.e2e.platform import Platform
from tests.e2e.work import Task, Workspace
from tests.waiting import until

SECRET = "a-secret-that-nobody-may-read-4711"
LINES = 3000

MAIN = """
variable "name" { type = string }
variable "sizes" { type = list(number) }
variable "password" {
  type      = string
  sensitive = true
}

resource "terraform_data" "disk" {
  count = length(var.sizes)
  input = "${var.name}-${var.sizes[count.index]}"
}

resource "terraform_data" "login" {
  input = var.password
}

resource "terraform_data" "release" {
  provisioner "local-exec" {
    command = "echo \\"the environment says $GREETING\\"; seq -f 'line %g of the apply' LINES"
  }
}

output "disks" { value = terraform_data.disk[*].output }
output "login" {
  value     = terraform_data.login.output
  sensitive = true
}
""".replace("LINES", str(LINES))


@pytest.fixture(scope="module")
def crew_of_all(started: Platform) -> Crew:
    """A pool with one agent for the tests that only look at what was done."""
    started.heal()
    crew = Crew.of(started)
    crew.agent("main")
    return crew


@pytest.fixture(scope="module")
def applied(crew_of_all: Crew) -> Task:
    """A task with variables of each kind, confirmed by its plan's digest, and applied."""
    workspace = crew_of_all.workspace({"main.tf": MAIN})
    _set_variables(workspace)
    task = workspace.task(description="The first one")
    planned = task.until("apply_pending")
    task.confirm(plan_digest=planned["plan_digest"], apply_description="Read it.")
    task.until("applied")
    return task


def _set_variables(workspace: Workspace) -> None:
    workspace.set("name", "disk ${not.an.expression}")
    workspace.set("sizes", "[for n in [1, 2] : n * 10]", hcl=True)
    workspace.set("password", SECRET, sensitive=True)
    workspace.set("GREETING", "good morning", category="env")


def test_a_plan_waits_for_a_person_and_says_so(crew: Crew) -> None:
    crew.agent("one")
    planned = crew.workspace(trivial()).task().until("apply_pending")
    reason = planned["wait_reason"]
    assert (reason["code"], reason["turn"]) == ("awaiting_confirmation", "person")
    assert "confirm-apply" in reason["actions"] and "confirm-apply" in planned["actions"]
    assert planned["changes"] == {"add": 1, "change": 0, "destroy": 0}
    assert not planned["stuck"]


def test_a_confirmation_is_answered_with_the_outcome_of_the_dispatch(crew: Crew) -> None:
    crew.agent("one")
    task = crew.workspace(trivial()).task()
    planned = task.until("apply_pending")
    wrong = crew.client.refused("POST", f"{task.path}/confirm-apply", {"plan_digest": "0" * 64})
    assert wrong["code"] == "plan_changed"
    answer = task.confirm(plan_digest=planned["plan_digest"])
    assert answer["dispatch"]["outcome"] == "offered"
    assert (answer["dispatch"]["agent_id"], answer["dispatch"]["slot"]) == (answer["agent_id"], 0)
    again = crew.client.post(f"{task.path}/confirm-apply", {}, status=200)
    assert again["confirmed_at"] == answer["confirmed_at"]
    task.until("applied")
    assert len(task.happened("confirm")) == 1


def test_outputs_alone_are_a_change_and_nothing_to_change_is_a_success(crew: Crew) -> None:
    crew.agent("one")
    workspace = crew.workspace(outputs_only("a"))
    first = workspace.task()
    first.until("apply_pending")
    first.confirm()
    first.until("applied")
    assert workspace.task().until("success")["changes"] == {"add": 0, "change": 0, "destroy": 0}


def test_auto_apply_goes_through_in_the_name_of_the_creator(crew: Crew) -> None:
    crew.agent("one")
    task = crew.workspace(trivial(), auto_apply=True).task()
    done = task.until("applied")
    assert done["confirmed_by"] == done["created_by"] == "admin"
    assert "auto_apply" in [move["event"] for move in task.events()]


def test_destroy_leaves_an_empty_state(crew: Crew) -> None:
    crew.agent("one")
    workspace = crew.workspace(trivial(), auto_apply=True)
    workspace.task().until("applied")
    destroy = workspace.task("destroy")
    assert destroy.until("apply_pending")["changes"] == {"add": 0, "change": 0, "destroy": 1}
    destroy.confirm()
    destroy.until("applied")
    state = workspace.state()
    assert state is not None and state["resources"] == []


def test_the_state_and_its_outputs_are_stored(applied: Task) -> None:
    state = applied.workspace.state()
    assert state is not None
    assert state["outputs"]["disks"]["value"] == ["disk ${not.an.expression}-10", "disk ${not.an.expression}-20"]
    assert state["outputs"]["login"]["value"] == SECRET
    versions = applied.workspace.states()
    assert versions[0]["serial"] == state["serial"] and versions[0]["task_id"] == applied.id
    assert "content" not in versions[0]


def test_the_log_is_complete_and_byte_exact(applied: Task, started: Platform) -> None:
    log = applied.log("apply")
    lines = [line.rpartition(": ")[2] for line in log.splitlines() if "of the apply" in line]
    assert [line for line in lines if line.startswith("line ")] == [
        f"line {n} of the apply" for n in range(1, LINES + 1)
    ]
    assert "the environment says good morning" in log
    stored = started.sql(
        "SELECT log_bytes, log_stored FROM tasks_attempt WHERE task_id = %s AND phase = 'apply'", applied.id
    )
    assert stored == [(len(log.encode()), len(log.encode()))]


def test_a_sensitive_value_is_in_no_log_and_no_plan(applied: Task, started: Platform) -> None:
    plan = json.dumps(applied.client.get(f"{applied.path}/plan"))
    seen = [applied.log("plan"), applied.log("apply"), plan, *(part.output() for part in started.parts)]
    assert [SECRET in text for text in seen] == [False] * len(seen)
    assert "terraform_data.login" in plan, plan


def test_the_history_tells_every_move(applied: Task) -> None:
    moves = [(move["from"], move["to"], move["event"]) for move in applied.events()]
    assert moves == [
        ("", "pending", "created"),
        ("pending", "pending", "offered"),
        ("pending", "running", "accepted"),
        ("running", "apply_pending", "planned"),
        ("apply_pending", "confirmed", "confirm"),
        ("confirmed", "confirmed", "offered"),
        ("confirmed", "running", "accepted"),
        ("running", "applied", "applied"),
    ]
    row = applied.row()
    assert (row["confirmed_by"], row["apply_description"], row["attempt"]) == ("admin", "Read it.", 1)


def test_an_applied_task_leaves_nothing_on_the_agent(applied: Task, crew_of_all: Crew) -> None:
    folder: Path = crew_of_all.workdir("main") / "tasks" / str(applied.id)
    until("its folder is gone", lambda: not folder.exists())
