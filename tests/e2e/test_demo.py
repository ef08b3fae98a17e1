import re
from pathlib import Path

import pytest

from tests import processes
from tests.runner.mirror import BARE, Mirror, installed, zipped
from tests.supervisor.platform import Running, started
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]
SECONDS = 200.0


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Running:
    """A demonstration in a new folder, from its begin to its end."""
    return demonstrated(tmp_path_factory.mktemp("demonstrations") / "home")


def demonstrated(home: Path, **environment: str) -> Running:
    with started(home, "demo", "--once", "--port", "0", **environment) as demo:
        assert demo.process.wait(SECONDS) == 0, demo.errors.read_text()
        until("nothing of it is left", lambda: processes.of(home) == [])
    return demo


def test_the_demonstration_applies_the_example_and_leaves_no_process(first: Running) -> None:
    told = first.output.read_text()
    assert re.search(r"^  applied$", told, re.MULTILINE), told
    assert "5 to add, 0 to change, 0 to destroy" in told
    assert "login = (sensitive)" in told
    assert "Login: user admin, password " in told
    assert first.errors.read_text() == ""


def test_a_second_demonstration_in_the_folder_rolls_out_again(first: Running) -> None:
    told = demonstrated(first.home).output.read_text()
    assert "-/+ terraform_data.release" in told
    assert "the password that was set before" in told


def test_without_an_engine_it_downloads_opentofu(tmp_path: Path, mirror: Mirror) -> None:
    """In its place lies the terraform of this machine, which is as good for the example."""
    version, program = installed()
    mirror.publish("tofu", version, archive=zipped("tofu", program))
    environment = {"IAC_AGENT_TOFU_MIRROR": mirror.address, "IAC_AGENT_TOFU_VERSION": version}
    told = demonstrated(tmp_path / "home", PATH=BARE, **environment).output.read_text()
    assert "Neither terraform nor tofu is on PATH: the agent downloads OpenTofu" in told
    assert re.search(r"^  applied$", told, re.MULTILINE), told
    assert mirror.asked == [mirror.sums("tofu", version), mirror.archive("tofu", version)]


def test_without_an_engine_and_a_mirror_the_demonstration_says_what_to_install(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started(home, "demo", "--once", "--port", "0", PATH=BARE, IAC_AGENT_TOFU_MIRROR="") as demo:
        assert demo.process.wait(SECONDS) == 1
        told = demo.errors.read_text()
        assert told.startswith("Neither terraform nor tofu is on PATH, and IAC_AGENT_TOFU_MIRROR is empty")
        assert "install one of them, or unset the variable" in told
