"""The configuration of size under examples/ goes through plan, confirm, apply, change and destroy, with both engines."""

from pathlib import Path

import pytest

from tests.e2e import opentofu
from tests.e2e.crew import Crew
from tests.e2e.parts import REPOSITORY
from tests.e2e.work import Workspace

LANDSCAPE = REPOSITORY / "examples" / "landscape"
PASSWORD = "the-first-password-of-every-database"
VALUES = "production.auto.tfvars"
SECONDS = 300.0
pytestmark = pytest.mark.timeout(1200)
RESOURCES = 251


def files() -> dict[str, str]:
    """Return the example's texts by path."""
    paths = [path for path in LANDSCAPE.rglob("*") if path.suffix in (".tf", ".tfvars")]
    return {path.relative_to(LANDSCAPE).as_posix(): path.read_text() for path in paths}


def changed() -> dict[str, str]:
    """Return the example after a team's usual change: one service has a new release, one group another machine."""
    texts = files()
    texts[VALUES] = texts[VALUES].replace('"4.2.0"', '"4.3.0"').replace("count = 3", "count = 4")
    assert texts != files()
    return texts


def gone_through(workspace: Workspace, task_type: str = "plan_and_apply") -> dict[str, int]:
    """Plan, confirm and apply; return the changes that the plan had."""
    task = workspace.task(task_type)
    planned = task.until("apply_pending", seconds=SECONDS)
    task.confirm(plan_digest=planned["plan_digest"])
    task.until("applied", seconds=SECONDS)
    assert PASSWORD not in task.log("plan") + task.log("apply")
    changes: dict[str, int] = planned["changes"]
    return changes


@pytest.mark.parametrize("engine", ["terraform", "tofu"])
def test_from_the_first_plan_to_the_last_destroy(crew: Crew, provider_mirror: Path, engine: str) -> None:
    crew.agent("one", PATH=opentofu.beside_terraform(), IAC_AGENT_CLI_CONFIG=str(provider_mirror))
    workspace = crew.workspace(files(), engine=engine)
    workspace.set("database_password", PASSWORD, sensitive=True)
    assert gone_through(workspace) == {"add": RESOURCES, "change": 0, "destroy": 0}
    state = workspace.state()
    assert state and state["outputs"]["releases"]["value"]["south/shop"] == "4.2.0"
    workspace.configure(changed())
    changes = gone_through(workspace)
    assert changes["add"] == 4 and changes["destroy"] == 2, changes
    state = workspace.state()
    assert state and state["outputs"]["releases"]["value"]["south/shop"] == "4.3.0"
    assert state["outputs"]["nodes"]["value"] == {"north": 8, "south": 8}
    destroyed = gone_through(workspace, "destroy")
    assert destroyed == {"add": 0, "change": 0, "destroy": RESOURCES + 2}
    state = workspace.state()
    assert state and state["resources"] == []
