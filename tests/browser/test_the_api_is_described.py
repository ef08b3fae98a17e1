"""The page of the API's description works under the same strict policy as every other page."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_operations_show_and_nothing_breaks_the_policy(page: Page, live_server: LiveServer) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.goto(f"{live_server.url}/api/docs/")
    expect(page.locator(".opblock").nth(20)).to_be_visible()
    assert not said
