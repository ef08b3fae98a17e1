"""Long lanes of tests begin first, and what is costly to start is shared."""

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests import lanes

FILES = sorted(str(file.relative_to(lanes.ROOT)) for file in Path(__file__).parent.rglob("test_*.py"))


@pytest.mark.parametrize("begin", lanes.FIRST)
def test_what_begins_first_is_there(begin: str) -> None:
    assert any(lanes.lane(file).startswith(begin) for file in FILES)


def test_tests_of_one_platform_run_one_after_the_other() -> None:
    assert lanes.lane("tests/e2e/test_cancel.py") == lanes.lane("tests/e2e/test_main_path.py") == lanes.PLATFORM


def test_tests_of_one_cluster_run_one_after_the_other_in_whatever_folder_they_are() -> None:
    assert lanes.lane("tests/cluster/test_nodes.py") == lanes.lane("tests/pools/test_the_door_and_pods.py")


def test_a_file_that_shares_nothing_is_a_lane_of_its_own() -> None:
    assert lanes.lane("tests/test_lanes.py") == "tests/test_lanes.py"


def test_lanes_that_wait_begin_before_those_that_calculate_and_those_before_short_ones() -> None:
    order = ["tests/chaos/test_chaos.py", "tests/simulation/test_second_half.py", "tests/test_lanes.py"]
    turns = [lanes.turn(lanes.lane(file)) for file in order]
    assert turns == sorted(set(turns))


def wanting(name: str, **environment: str) -> mock.Mock:
    mark = pytest.mark.server(**environment).mark if environment else None
    return mock.Mock(nodeid=f"tests/e2e/test_cancel.py::{name}", get_closest_marker=lambda _: mark)


def test_tests_that_want_another_server_follow_one_another() -> None:
    items: list[Any] = [wanting("one", SECONDS="6"), wanting("two"), wanting("three", SECONDS="6")]
    lanes.pytest_collection_modifyitems(mock.Mock(workerinput={}), items)
    assert [item.nodeid.partition("::")[2] for item in items] == ["two", "one", "three"]
