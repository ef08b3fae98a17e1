"""The agent that planned is gone for good: the stored plan is applied by another one, exactly as it was confirmed."""

from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew

STAMP = """
resource "terraform_data" "stamp" {
  input = plantimestamp()
}
output "stamp" { value = terraform_data.stamp.output }
"""
"""Its value is the time of the plan: another plan would have another one."""


def test_another_agent_applies_the_stored_plan(crew: Crew, gated: Gated) -> None:
    planner = crew.agent("planner")
    gated.open()
    workspace = crew.workspace({**gated.files, "stamp.tf": STAMP})
    task = workspace.task()
    planned = task.until("apply_pending")
    planner.kill()
    crew.workdir("planner").rename(crew.platform.home / "its-disk-is-lost")
    crew.agent("other")
    answer = task.confirm(plan_digest=planned["plan_digest"])
    assert answer["plan_digest"] == planned["plan_digest"]
    done = task.until("applied")
    assert (done["plan_digest"], done["plan_count"]) == (planned["plan_digest"], 1)
    assert done["agent_id"] == crew.agent_id("other")
    assert len(task.happened("planned")) == 1
    state = workspace.state()
    assert state and state["outputs"]["stamp"]["value"] in str(crew.client.get(f"{task.path}/plan"))
    assert gated.ledger() == ["begun", "ended"]
