"""While the database is away, pages and API say so and when to come back; they do not call it a fault of theirs."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client

from tests.console import pages


@pytest.fixture
def away(console: Client) -> Iterator[Client]:
    """A person whose server has just lost its database."""
    console.raise_request_exception = False
    with patch.object(CursorWrapper, "execute", side_effect=OperationalError("the connection is closed")):
        yield console


@pytest.mark.parametrize("address", ["/", "/tasks/", "/workspaces/ws-0000000000", "/login/?next=/tasks/"])
def test_a_page_says_that_it_is_asked_again_by_itself(away: Client, address: str) -> None:
    answer = away.get(address)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "The database cannot answer right now." in pages.text(answer)
    assert "This page asks again by itself." in pages.text(answer)


def test_the_api_answers_a_problem(away: Client) -> None:
    answer = away.get("/api/v1/tasks")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("The database cannot answer right now.")


def test_another_fault_is_still_one(console: Client) -> None:
    console.raise_request_exception = False
    with patch("iacplatform.console.now.page.show", side_effect=RuntimeError("broken")):
        assert console.get("/").status_code == 500
