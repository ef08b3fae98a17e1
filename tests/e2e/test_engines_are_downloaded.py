"""Agents on machines without engines: they download what a workspace names, and any of them applies the stored plan."""

from tests.e2e.configurations import trivial
from tests.e2e.crew import Crew
from tests.runner.mirror import BARE, Mirror, installed, zipped
from tests.waiting import until


def test_the_stored_plan_waits_for_an_agent_that_has_or_downloads_its_engine(crew: Crew, mirror: Mirror) -> None:
    version, program = installed()
    mirror.publish("terraform", version, archive=zipped("terraform", program))
    downloads = {"PATH": BARE, "IAC_AGENT_TERRAFORM_MIRROR": mirror.address}
    planner = crew.agent("planner", **downloads)
    task = crew.workspace(trivial(), terraform_version=version).task()
    planned = task.until("apply_pending")
    planner.kill()
    crew.agent("bare", PATH=BARE)
    task.confirm(plan_digest=planned["plan_digest"])
    until("it says who has what", lambda: (task.row()["wait_reason"] or {}).get("code") == "no_matching_agent")
    assert f"Its plan was made by terraform {version} on " in task.row()["wait_reason"]["message"]
    crew.agent("other", **downloads)
    done = task.until("applied")
    assert (done["agent_id"], done["plan_count"]) == (crew.agent_id("other"), 1)
    assert mirror.asked == [mirror.sums("terraform", version), mirror.archive("terraform", version)] * 2
    assert f"Downloads terraform {version} from {mirror.address}/" in task.log("apply")
