"""Counts are exact up to their limit and stop there; pages go on after it."""

from unittest.mock import patch

import pytest
from rest_framework.test import APIClient

from tests import factories

WORKSPACES = "/api/v1/workspaces"


@pytest.fixture(autouse=True)
def _small_limit() -> object:
    with patch("iacplatform.base.pages.EXACT_UP_TO", 4):
        yield


@pytest.mark.parametrize(
    ("rows", "count", "exact"), [(0, 0, True), (3, 3, True), (4, 4, True), (5, 4, False), (9, 4, False)]
)
def test_the_count_is_exact_up_to_the_limit(api: APIClient, rows: int, count: int, exact: bool) -> None:
    for _ in range(rows):
        factories.workspace()
    listed = api.get(WORKSPACES).json()
    assert (listed["count"], listed["count_is_exact"]) == (count, exact)


def test_every_row_is_reached_page_by_page(api: APIClient) -> None:
    made = {factories.workspace().pk for _ in range(9)}
    seen, address = [], f"{WORKSPACES}?page_size=2"
    while address:
        page = api.get(address).json()
        seen += [each["workspace_id"] for each in page["results"]]
        address = page["next"]
    assert len(seen) == 9 and set(seen) == made
    assert page["previous"] and len(page["results"]) == 1
    assert api.get(f"{WORKSPACES}?page_size=2&page=6").status_code == 404
