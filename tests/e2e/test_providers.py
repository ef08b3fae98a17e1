"""A real provider, from a mirror of files: on one agent, on two, for two tasks at once, and where it is missing."""

import re
from pathlib import Path

import pytest

from tests import provider_mirror
from tests.cluster.binaries.programs import PROVIDER_VERSION
from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.e2e.work import Workspace
from tests.provider_mirror import PLATFORM, REQUIREMENT
from tests.waiting import until

LOCK = f"""provider "registry.terraform.io/hashicorp/time" {{
  version     = "{PROVIDER_VERSION}"
  constraints = "{PROVIDER_VERSION}"
  hashes = [
    "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  ]
}}
"""
"""Of a team that has had another package under this version."""

AFTER = REQUIREMENT + '\nresource "time_static" "after" {\n  depends_on = [terraform_data.second]\n}\n'
"""Of the same module as a `Gated` one: its provider runs as long as the gate is closed."""


def sleeping(seconds: int) -> dict[str, str]:
    """Return a configuration whose apply has a provider run for so long."""
    return {"main.tf": f'{REQUIREMENT}\nresource "time_sleep" "one" {{\n  create_duration = "{seconds}s"\n}}\n'}


def static() -> dict[str, str]:
    """Return a configuration that needs the provider for a moment."""
    return {"main.tf": f'{REQUIREMENT}\nresource "time_static" "one" {{}}\n'}


def store(crew: Crew, name: str) -> list[Path]:
    """Return the provider programs that an agent keeps for all of its tasks."""
    return list((crew.workdir(name) / "providers").rglob("terraform-provider-*"))


def test_a_plan_of_one_agent_is_applied_by_another_with_the_same_provider(crew: Crew, provider_mirror: Path) -> None:
    planner = crew.agent("planner", IAC_AGENT_CLI_CONFIG=str(provider_mirror))
    task = crew.workspace(sleeping(1)).task()
    task.until("apply_pending")
    planner.stop()
    crew.agent("other", IAC_AGENT_CLI_CONFIG=str(provider_mirror))
    task.confirm()
    task.until("applied")
    log = task.log("apply")
    assert "time_sleep.one: Creation complete" in log
    assert "Reusing previous version of hashicorp/time from the dependency lock file" in log
    assert len(store(crew, "other")) == 1


def test_two_first_tasks_at_once_fetch_it_once_and_no_third_one_breaks_what_they_run(
    crew: Crew, gated: Gated, provider_mirror: Path
) -> None:
    """Terraform's own cache fails here with "text file busy", at the latest while the provider of another task runs."""
    crew.agent("one", IAC_AGENT_CLI_CONFIG=str(provider_mirror), IAC_AGENT_CAPACITY="2")
    lasting = crew.workspace({**gated.files, "after.tf": AFTER}, auto_apply=True).task()
    short = crew.workspace(static()).task("plan")
    short.until("success")
    until("the apply, and with it the provider, runs", lambda: gated.ticks() > 1, seconds=90)
    third = crew.workspace(static()).task("plan")
    third.until("success")
    assert lasting.row()["status"] == "running"
    assert "from the shared cache directory" in third.log("plan")
    gated.open()
    lasting.until("applied")
    fetched = ["- Installing hashicorp/time" in task.log("plan") for task in (lasting, short)]
    assert sorted(fetched) == [False, True]
    assert len(store(crew, "one")) == 1


def test_a_provider_that_is_missing_is_told_in_terraforms_own_words(crew: Crew, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    empty = provider_mirror.settings(tmp_path / "engine.tfrc", tmp_path / "mirror")
    crew.agent("one", IAC_AGENT_CLI_CONFIG=str(empty))
    task = crew.workspace(static()).task()
    failed = task.until("failed")
    assert failed["error_code"] == "engine_failed"
    words = "provider registry.terraform.io/hashicorp/time was not found in any of the search locations"
    for said in (failed["error_message"], task.log("plan")):
        assert words in re.sub(r"\s+", " ", said), said


def test_the_teams_lock_file_is_kept_and_a_package_that_it_does_not_know_is_refused(
    crew: Crew, provider_mirror: Path
) -> None:
    crew.agent("one", IAC_AGENT_CLI_CONFIG=str(provider_mirror))
    workspace = crew.workspace(static())
    workspace.task("plan").until("success")
    assert len(store(crew, "one")) == 1  # what is in the store may not be slipped in
    workspace.configure({**static(), ".terraform.lock.hcl": LOCK})
    failed = workspace.task("plan").until("failed")
    assert "doesn't match any of the checksums" in re.sub(r"\s+", " ", failed["error_message"])
    lock = _lock_of(crew, provider_mirror, workspace)
    workspace.configure({**static(), ".terraform.lock.hcl": lock})
    task = workspace.task("plan")
    task.until("success")
    assert "Using hashicorp/time v" in task.log("plan") and "Installing" not in task.log("plan")


def _lock_of(crew: Crew, mirror: Path, workspace: Workspace) -> str:
    """Return a lock file with the hash that the agent has noted for the package."""
    (noted,) = (crew.workdir("one") / "providers").rglob(f"{PLATFORM}.h1")
    return re.sub(r"h1:A+=", noted.read_text(), LOCK)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            "provider_installation {\n  filesystem_mirror {\n", "in which terraform finds a fault: ", id="cut off"
        ),
        pytest.param(
            "provider_installation {\n  filesystem_mirror {}\n}\n", '"path" argument is required', id="without a path"
        ),
    ],
)
def test_an_agent_with_a_broken_settings_file_does_not_start(
    crew: Crew, tmp_path: Path, text: str, sentence: str
) -> None:
    broken = tmp_path / "engine.tfrc"
    broken.write_text(text)
    agent = crew.agent("one", connected=False, IAC_AGENT_CLI_CONFIG=str(broken))
    assert agent.ended() == 2
    said = agent.output().strip().splitlines()[-1]
    assert said.startswith(f"IAC_AGENT_CLI_CONFIG names {broken}") and sentence in said
