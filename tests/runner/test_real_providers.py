"""Tasks side by side use one copy of a provider, with a real terraform: also while one of them runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.configurations import Gated
from tests.provider_mirror import PLATFORM, REQUIREMENT
from tests.runner.fake_platform import FakePlatform

STATIC = {"main.tf": f'{REQUIREMENT}\nresource "time_static" "one" {{}}\n'}
AFTER = REQUIREMENT + '\nresource "time_static" "after" {\n  depends_on = [terraform_data.second]\n}\n'
"""Of the same module as a `Gated` one: its provider runs as long as the gate is closed."""


@pytest.fixture
def workdir_of_two(start_agent: Callable[..., Any], workdir: Path, provider_mirror: Path) -> Path:
    """The work folder of an agent with room for two tasks."""
    start_agent(IAC_AGENT_CLI_CONFIG=str(provider_mirror), IAC_AGENT_CAPACITY="2")
    return workdir


@pytest.fixture
def gated(tmp_path: Path) -> Gated:
    """An apply that lasts until the test lets it end."""
    return Gated(tmp_path)


@pytest.fixture
def applying(
    platform: FakePlatform, job: Callable[..., Any], eventually: Callable[..., None], workdir_of_two: Path, gated: Gated
) -> Path:
    """The work folder of an agent that has fetched the provider, and runs it in an apply (task 1, epoch 2)."""
    files = {**gated.files, "after.tf": AFTER}
    platform.offer(job(files=files))
    eventually(lambda: platform.result(1))
    platform.offer(job(files=files, epoch=2, phase="apply", plan=platform.stored_plan(1)))
    eventually(lambda: gated.ticks() > 1)
    return workdir_of_two


def test_what_a_configuration_may_have_brought_itself_stays_its_own(
    platform: FakePlatform, job: Callable[..., Any], eventually: Callable[..., None], workdir_of_two: Path
) -> None:
    """Engines unpack what they find in that folder into the same cache as what comes from a registry."""
    platform.offer(job(files={**STATIC, "terraform.d/plugins/README": "Ours."}))
    eventually(lambda: platform.result(1))
    planned = platform.result(1)
    assert planned and planned.outcome == "planned", platform.log(1)
    assert not list((workdir_of_two / "providers").rglob("*.h1"))


def test_a_task_begins_while_another_one_runs_the_provider(
    platform: FakePlatform, job: Callable[..., Any], eventually: Callable[..., None], applying: Path, gated: Gated
) -> None:
    """Terraform's own cache, shared, fails here: "text file busy"."""
    platform.offer(job(2, files=STATIC, task_type="plan"))
    eventually(lambda: platform.result(2))
    planned = platform.result(2)
    assert planned and planned.outcome == "planned", platform.log(2)
    assert "from the shared cache directory" in platform.log(2)
    assert platform.result(1, 2) is None
    gated.open()
    eventually(lambda: platform.result(1, 2))
    applied = platform.result(1, 2)
    assert applied and applied.outcome == "applied", platform.log(1, 2)
    (noted,) = (applying / "providers").rglob(f"{PLATFORM}.h1")
    assert f'"{noted.read_text()}"' in platform.parts(2)["lock"].decode()  # the hash is what terraform itself calls it
