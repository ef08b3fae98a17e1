"""A real browser at a real server: Debian's chromium, driven by Playwright."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "correct horse battery"
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

# Playwright's synchronous API keeps a loop running in the test's thread, which Django takes for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Return how to start Debian's chromium; as root without a sandbox, which it would refuse."""
    if not CHROMIUM.exists():
        pytest.fail(f"There is no {CHROMIUM}: install the package chromium (apt-get install chromium).")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": str(CHROMIUM), "args": [*FLAGS, *sandbox]}


@pytest.fixture
def alice(transactional_db: None) -> User:
    """A person who may do everything, with a password."""
    return User.objects.create_superuser("alice", password=PASSWORD)


@pytest.fixture
def at_console(page: Page, live_server: LiveServer, alice: User) -> Iterator[Page]:
    """The first page, Alice logged in. Fails when anything was refused by the policy, or broke, while it was open."""
    complaints = listen(page)
    log_in(page, live_server)
    yield page
    assert complaints == []


def listen(page: Page) -> list[str]:
    """Return a list that grows with what the browser complains about: errors in scripts, refusals by the policy."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.extend(_complaint(message)))
    return complaints


def log_in(page: Page, live_server: LiveServer) -> None:
    """Log Alice in by the form."""
    page.goto(live_server.url + "/login/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def _complaint(message: ConsoleMessage) -> list[str]:
    # A refusal that a page shows in words is also a line here: "the server responded with a status of 409".
    is_told = "status of 409" in message.text
    return [message.text] if message.type in {"error", "warning"} and not is_told else []
