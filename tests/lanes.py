"""A pytest plugin: what a worker of xdist runs in one go, and what the workers begin with.

A lane is a file, or all files that need the same thing which is costly to start. Lanes that last long come first, so
that no worker is left alone with one in the end, and together with work for the processors, for they mostly wait.
"""

import re
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]

CHAOS, CLUSTER, PLATFORM, PODS = "chaos", "cluster", "platform", "pods"
USES_A_CLUSTER = re.compile(r"^from tests\.(cluster\.(cluster|control_plane)|e2e\.pod_crew) ", re.MULTILINE)

FIRST = (
    CHAOS,
    CLUSTER,
    PLATFORM,
    "tests/simulation/test_first_half.py",
    PODS,
    "tests/simulation/",
    "tests/restart/",
    "tests/races/",
    "tests/supervisor/",
    "tests/recovery/",
    "tests/reasons/",
    "tests/fleet/test_looks_survive_kills.py",
    "tests/runner/",
    "tests/api/test_tasks_verbs.py",
    "tests/console/test_lists_are_bounded.py",
    "tests/tasks/test_history.py",
)
"""Lanes, or begins of their names: those that wait a lot, then those that calculate long; all others are short."""


class Lanes(LoadScopeScheduling):
    """Gives a worker lane after lane."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(_file(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lanes | None:
    """Take lanes for the files of `--dist loadfile`."""
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Lanes(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a worker see the tests in the order of their lanes, and those together for which the platform is started anew
    with more in its environment; a run without workers keeps the order of the files."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (turn(lane(_file(item.nodeid))), environment(item)))


def turn(lane: str) -> int:
    """Return how many kinds of lanes come before this one."""
    return next((number for number, begin in enumerate(FIRST) if lane.startswith(begin)), len(FIRST))


@cache
def lane(file: str) -> str:
    """Return the lane of a test file, given from the repository's folder."""
    if file.startswith("tests/chaos/"):
        return CHAOS
    uses_a_cluster = USES_A_CLUSTER.search((ROOT / file).read_text())
    if file.startswith("tests/e2e/"):
        return PODS if uses_a_cluster else PLATFORM
    return CLUSTER if uses_a_cluster else file


def environment(item: pytest.Item) -> list[tuple[str, object]]:
    """Return what a test wants in the environment of the platform's server; most want nothing."""
    mark = item.get_closest_marker("server")
    return sorted(mark.kwargs.items()) if mark else []


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
