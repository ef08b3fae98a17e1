"""OpenTofu goes the whole way that terraform goes, beside it on one agent, and neither gets the other's plan."""

import json
from pathlib import Path

from tests.e2e import opentofu
from tests.e2e.client import Row
from tests.e2e.configurations import Gated, trivial
from tests.e2e.crew import Crew
from tests.e2e.work import Task
from tests.waiting import until

SECRET = "a-secret-of-the-opentofu-tests-0815"

MAIN = """
variable "password" {
  type      = string
  sensitive = true
}

variable "names" { type = set(string) }

resource "terraform_data" "server" {
  for_each = var.names
  input    = each.key
}

resource "terraform_data" "login" {
  input = var.password
  provisioner "local-exec" {
    command = "echo it is $PASSWORD"
    environment = {
      PASSWORD = nonsensitive(var.password)
    }
  }
}

output "servers" { value = sort([for server in terraform_data.server : server.output]) }

output "login" {
  value     = terraform_data.login.output
  sensitive = true
}
"""


def test_plan_confirm_apply_change_and_destroy(crew: Crew, tmp_path: Path) -> None:
    agent = crew.agent("one", PATH=opentofu.alone(tmp_path))
    workspace = crew.workspace({"main.tf": MAIN}, engine="tofu")
    workspace.set("password", SECRET, sensitive=True)
    names = workspace.set("names", '["a", "b"]', hcl=True)
    first = workspace.task()
    planned = first.until("apply_pending")
    assert planned["changes"] == {"add": 3, "change": 0, "destroy": 0}
    first.confirm(plan_digest=planned["plan_digest"])
    first.until("applied")
    state = workspace.state()
    assert state and state["terraform_version"] == opentofu.TOFU_VERSION
    assert state["outputs"]["servers"]["value"] == ["a", "b"] and state["outputs"]["login"]["value"] == SECRET
    crew.client.patch(f"{workspace.path}/variables/{names['id']}", {"value": '["b", "c"]'})
    second = workspace.task()
    assert second.until("apply_pending")["changes"] == {"add": 1, "change": 0, "destroy": 1}
    second.confirm()
    second.until("applied")
    assert workspace.task("plan").until("success")["changes"] == {"add": 0, "change": 0, "destroy": 0}
    last = workspace.task("destroy")
    assert last.until("apply_pending")["changes"] == {"add": 0, "change": 0, "destroy": 3}
    last.confirm()
    last.until("applied")
    state = workspace.state()
    assert state and state["resources"] == []
    plan = json.dumps(first.client.get(f"{first.path}/plan"))
    log = first.log("apply")
    assert "it is " in log
    assert [SECRET in text for text in (first.log("plan"), log, plan, agent.output())] == [False] * 4


def test_a_cancel_in_mid_apply_saves_what_was_done(crew: Crew, gated: Gated, tmp_path: Path) -> None:
    crew.agent("one", PATH=opentofu.alone(tmp_path))
    workspace = crew.workspace(gated.files, engine="tofu", auto_apply=True)
    task = workspace.task()
    until("the apply has begun", lambda: gated.ticks() > 5)
    task.do("cancel")
    task.until("cancelled")
    assert "1 of 2 changes had been made" in task.events()[-1]["reason"]
    assert "Two interrupts" not in task.log("apply")
    state = workspace.state()
    assert state and "first" in {each["name"] for each in state["resources"]}
    assert not workspace.row()["is_locked"] and not crew.engines("one")


def test_one_agent_runs_both_engines_side_by_side(crew: Crew) -> None:
    crew.agent("one", PATH=opentofu.beside_terraform(), IAC_AGENT_CAPACITY="2")
    tasks = {
        engine: crew.workspace(trivial(), engine=engine, auto_apply=True).task() for engine in ("terraform", "tofu")
    }
    for engine, task in tasks.items():
        task.until("applied")
        assert f": apply with {engine} " in task.log("apply")


def test_a_plan_of_tofu_waits_for_an_agent_with_that_tofu(crew: Crew, tmp_path: Path) -> None:
    planner = crew.agent("planner", PATH=opentofu.alone(tmp_path))
    task = crew.workspace(trivial(), engine="tofu").task()
    task.until("apply_pending")
    planner.stop()
    crew.agent("other")
    assert task.confirm()["dispatch"]["outcome"] != "offered"
    reason = until("the task says what is missing", lambda: _reason(task, "no_matching_agent"))
    assert f"Its plan was made by tofu {opentofu.TOFU_VERSION}" in reason["message"]
    crew.agent("third", PATH=opentofu.beside_terraform())
    task.until("applied")
    offers = [event for event in task.events() if event["event"] == "offered"]
    assert len(offers) == 2  # the plan's and the apply's: none to the agent with terraform alone


def _reason(task: Task, code: str) -> Row | None:
    """Return why the task waits, where that is the reason."""
    reason: Row | None = task.row()["wait_reason"]
    return reason if reason and reason["code"] == code else None
