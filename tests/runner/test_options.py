"""A bad configuration is one sentence and exit status 2; a good one is read from the command line and the environment."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.runner import options
from agents.runner.errors import BadConfiguration
from tests.runner.conftest import REPOSITORY
from tests.runner.fake_platform import FakePlatform
from tests.waiting import ENOUGH_SECONDS

GOOD = {
    "IAC_SERVER": "https://iac.example.com/",
    "IAC_AGENT_TOKEN": "t",
    "IAC_AGENT_NAME": "a",
    "IAC_AGENT_WORKDIR": "/w",
}


@pytest.mark.parametrize(
    ("environment", "arguments", "sentence"),
    [
        ({"IAC_SERVER": ""}, [], "No server was given"),
        ({"IAC_SERVER": "ftp://x"}, [], "http or https"),
        ({"IAC_SERVER": "https://user:pw@x"}, [], "http or https"),
        ({"IAC_AGENT_TOKEN": ""}, [], "No pool token was given"),
        ({"IAC_AGENT_TOKEN": "", "IAC_AGENT_TOKEN_FILE": "/nowhere/token"}, [], "cannot be read"),
        ({"IAC_AGENT_TOKEN": "", "IAC_AGENT_TOKEN_FILE": "/dev/null"}, [], "is empty"),
        ({"IAC_AGENT_NAME": "-x"}, [], "name may have"),
        ({"IAC_AGENT_NAME": "a b"}, [], "name may have"),
        ({"IAC_AGENT_CAPACITY": "0"}, [], "from 1 to 64"),
        ({"IAC_AGENT_CAPACITY": "65"}, [], "from 1 to 64"),
        ({"IAC_AGENT_CAPACITY": "two"}, [], "from 1 to 64"),
        ({"IAC_AGENT_CLI_CONFIG": "/nowhere/tfrc"}, [], "IAC_AGENT_CLI_CONFIG names /nowhere/tfrc"),
        ({"IAC_AGENT_TOFU_MIRROR": "mirror.example.com"}, [], "IAC_AGENT_TOFU_MIRROR must be an http or https address"),
        ({"IAC_AGENT_TOFU_MIRROR": "https://mirror:port/"}, [], "IAC_AGENT_TOFU_MIRROR must be an http or https"),
        ({}, ["--terraform-mirror", "file:///srv"], "IAC_AGENT_TERRAFORM_MIRROR must be an http or https"),
        ({"IAC_AGENT_TERRAFORM_VERSION": "latest"}, [], "IAC_AGENT_TERRAFORM_VERSION must be a whole version"),
        ({"IAC_AGENT_DOWNLOAD_SECONDS": "0"}, [], "time for a download, in seconds, must be a whole number from 1"),
        ({"IAC_AGENT_TASK_MIB": "1.5"}, [], "room for a task, in MiB, must be a whole number from 1"),
        ({"IAC_AGENT_KEPT_MIB": "0"}, [], "room for what is kept, in MiB, must be a whole number from 1"),
        ({"IAC_AGENT_SHARED_TASKS": "yes"}, [], "IAC_AGENT_SHARED_TASKS must be true or false"),
        ({}, ["--nonsense"], "nrecognized arguments"),
    ],
)
def test_a_bad_configuration_is_a_sentence(environment: dict[str, str], arguments: list[str], sentence: str) -> None:
    with pytest.raises(BadConfiguration, match=sentence):
        options.parse(arguments, GOOD | environment)


def test_the_command_line_beats_the_environment() -> None:
    given = ["--server", "http://other", "--token", "s", "--name", "b", "--capacity", "4", "--workdir", "/v"]
    chosen = options.parse(given, GOOD)
    assert (chosen.server, chosen.name, chosen.capacity, chosen.workdir) == ("http://other", "b", 4, Path("/v"))
    assert chosen.current_token() == "s"
    assert "token" not in repr(chosen).replace("token_file", "")


def test_engines_come_from_their_makers_unless_another_address_is_given() -> None:
    makers = options.parse([], GOOD).mirrors
    assert makers["terraform"].address == "https://releases.hashicorp.com"
    assert makers["tofu"].address == "https://github.com/opentofu/opentofu/releases/download"
    ours = {"IAC_AGENT_TOFU_MIRROR": "https://ci:s3cret@mirror.example.com/tofu/", "IAC_AGENT_TOFU_VERSION": "1.9.0"}
    chosen = options.parse(["--terraform-mirror", "http://mirror"], GOOD | ours)
    assert [(each.address, each.version) for each in chosen.mirrors.values()] == [
        ("http://mirror", makers["terraform"].version),
        ("https://ci:s3cret@mirror.example.com/tofu", "1.9.0"),
    ]
    assert "s3cret" not in repr(chosen)


@pytest.mark.parametrize(
    ("environment", "arguments"),
    [
        ({"IAC_AGENT_TOFU_MIRROR": ""}, []),
        ({"IAC_AGENT_TOFU_MIRROR": "http://mirror"}, ["--tofu-mirror", ""]),
    ],
)
def test_an_empty_address_switches_downloads_off(environment: dict[str, str], arguments: list[str]) -> None:
    chosen = options.parse(arguments, GOOD | environment)
    assert (chosen.mirrors["tofu"].address, bool(chosen.mirrors["terraform"].address)) == ("", True)


def test_defaults_are_the_hosts_name_and_a_folder_by_it() -> None:
    chosen = options.parse([], {"IAC_SERVER": "http://x", "IAC_AGENT_TOKEN": "t", "XDG_STATE_HOME": "/state"})
    assert chosen.capacity == 1
    assert chosen.workdir == Path("/state/iacplatform/agents") / chosen.name


def test_a_token_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    chosen = options.parse([], {**GOOD, "IAC_AGENT_TOKEN": "", "IAC_AGENT_TOKEN_FILE": str(file)})
    file.write_text("second\n")
    assert chosen.current_token() == "second"


def test_the_process_says_the_sentence_and_ends_with_2() -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
    command = [sys.executable, "-m", "agents.runner"]
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "No server was given: set IAC_SERVER or --server to the platform's address.\n"


def test_a_second_agent_on_the_same_folder_is_sent_away(
    platform: FakePlatform, start_agent: Callable[..., Any], workdir: Path
) -> None:
    start_agent()
    second = start_agent(wait=False, IAC_AGENT_NAME="agent-two")
    _, errors = second.communicate(timeout=ENOUGH_SECONDS)
    assert second.returncode == 2
    assert errors.startswith(f"Another agent uses the work folder {workdir}")
    assert len(errors.splitlines()) == 1


def test_the_folder_is_private(platform: FakePlatform, start_agent: Callable[..., Any], workdir: Path) -> None:
    start_agent()
    assert workdir.stat().st_mode & 0o777 == 0o700
    assert (workdir / "tasks").stat().st_mode & 0o777 == 0o700


def test_the_engine_configuration_that_was_given_is_used(
    scene: Any, start_agent: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "mirror.tfrc"
    file.write_text("")
    start_agent(PATH=scene.path, IAC_AGENT_CLI_CONFIG=str(file))
    scene.run(scene.job())
    assert {line["environment"]["TF_CLI_CONFIG_FILE"] for line in scene.ledger()} == {str(file)}
