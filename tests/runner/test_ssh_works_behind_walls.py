"""Files that the machine's settings of ssh include are found: behind walls ssh takes only copies of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.runner import walls
from tests.waiting import ENOUGH_SECONDS

SETTINGS = """
mount -t tmpfs tmpfs /etc/ssh && mkdir /etc/ssh/ssh_config.d && echo 'Host *' > /etc/ssh/ssh_config.d/50-site.conf &&
echo 'Include /etc/ssh/ssh_config.d/*.conf' > /etc/ssh/ssh_config && exec "$@"
"""
WITH_SETTINGS = (
    *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SETTINGS, "sh"),
    *("unshare", "--user", "--map-user=1000", "--map-group=1000"),
)
"""Starts a program as a user that is not root, on a machine whose settings of ssh include a file."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for /etc/ssh."""
    monkeypatch.setattr(walls, "_SSH", str(tmp_path))
    (tmp_path / "ssh_config.d").mkdir()
    (tmp_path / "policy").write_text("Ciphers aes256-ctr\n")
    (tmp_path / "ssh_config").write_text("Host *\n  include ssh_config.d/*.conf missing/*.conf\n# Include policy\n")
    return tmp_path


def included(settings: Path) -> list[str]:
    return [Path(file).name for file in walls._included(str(settings / "ssh_config"))]


def test_each_file_of_a_pattern_is_found_with_what_it_includes(settings: Path) -> None:
    folder = settings / "ssh_config.d"
    for name in ("10-one.conf", "20-two.conf", "readme"):
        (folder / name).write_text("")
    (folder / "30-three.conf").write_text(f'Include "{settings}/policy"\n')
    assert included(settings) == ["10-one.conf", "20-two.conf", "30-three.conf", "policy"]


def test_a_link_stands_for_what_it_leads_to(settings: Path) -> None:
    (settings / "ssh_config.d" / "40-link.conf").symlink_to(settings / "policy")
    assert included(settings) == ["policy"]


def test_a_circle_ends(settings: Path) -> None:
    (settings / "ssh_config.d" / "50-circle.conf").write_text("Include ssh_config.d/50-circle.conf\n")
    assert included(settings) == ["50-circle.conf"]


def test_where_there_are_no_settings_nothing_is_found(settings: Path) -> None:
    (settings / "ssh_config").unlink()
    assert included(settings) == []


def test_such_files_are_no_reason_to_keep_tasks_apart_less(start_agent: Callable[..., Any]) -> None:
    agent = start_agent(within=WITH_SETTINGS, IAC_AGENT_CAPACITY="2")
    agent.terminate()
    assert "kept apart" not in agent.communicate(timeout=ENOUGH_SECONDS)[1]
