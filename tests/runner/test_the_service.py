"""The unit for systemd says what the agent does: how it ends, and when starting it again is of no use."""

import shutil
import subprocess
import sys
from pathlib import Path

from agents.runner import __main__ as program

UNIT = Path(__file__).parents[2] / "deploy/agent/iac-agent.service"
MISSING = "There is no systemd-analyze: install the package systemd. `make test` does that where it may."


def settings() -> dict[str, list[str]]:
    """Return the values of each setting."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_what_cannot_be_mended_by_starting_again_is_not_started_again() -> None:
    statuses = {int(status) for status in settings()["RestartPreventExitStatus"][0].split()}
    assert statuses == {program.BAD_CONFIGURATION, program.NOT_WELCOME}


def test_no_engine_is_ended_with_its_agent() -> None:
    unit = settings()
    assert (unit["KillMode"], unit["SendSIGKILL"], unit["TimeoutStopSec"]) == (["process"], ["no"], ["infinity"])


def test_its_folder_is_its_own() -> None:
    unit = settings()
    assert (unit["StateDirectoryMode"], unit["UMask"]) == (["0700"], ["0077"])
    assert "IAC_AGENT_WORKDIR=/var/lib/iac-agent/work" in unit["Environment"]


def test_what_engines_write_elsewhere_lies_in_that_folder_too_for_all_else_is_read_only() -> None:
    unit = settings()
    assert unit["ProtectSystem"] == ["strict"]
    assert "TMPDIR=/var/lib/iac-agent/tmp" in unit["Environment"]
    assert unit["StateDirectory"] == ["iac-agent iac-agent/tmp"]
    assert "PrivateTmp" not in unit


def test_nothing_in_it_stops_its_tasks_from_being_kept_apart() -> None:
    assert not {"ProtectKernelTunables", "ProtectKernelLogs", "ProtectProc", "RestrictNamespaces"} & settings().keys()


def test_systemd_takes_it(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze, MISSING
    copy = tmp_path / UNIT.name
    text = UNIT.read_text().replace("/opt/iac-agent/venv/bin/python", sys.executable)
    copy.write_text(text.replace("User=iac-agent", "User=root"))
    asked = subprocess.run([analyze, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert asked.returncode == 0 and UNIT.name not in asked.stderr, asked.stderr
