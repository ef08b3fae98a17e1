"""A real browser at a real server: Debian's chromium, driven by Playwright."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.waiting import ENOUGH_SECONDS

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "correct horse battery"
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


expect.set_options(timeout=ENOUGH_SECONDS * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, for the tests of one file; as root without a sandbox, which it would refuse.

    Playwright's synchronous API keeps a loop running in the test's thread. Django takes that for asynchronous code, and
    no asynchronous test could run while it lasts: so it ends with the file.
    """
    if not CHROMIUM.exists():
        pytest.fail(f"There is no {CHROMIUM}: install the package chromium (apt-get install chromium).")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *sandbox])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of its own for each test; `browser_context_args` says what is special about it."""
    marker = request.node.get_closest_marker("browser_context_args")
    context = browser.new_context(**(marker.kwargs if marker else {}))
    context.set_default_timeout(ENOUGH_SECONDS * 1000)
    yield context.new_page()
    context.close()


@pytest.fixture
def alice(transactional_db: None) -> User:
    """A person who may do everything, with a password."""
    return User.objects.create_superuser("alice", password=PASSWORD)


@pytest.fixture
def at_console(page: Page, live_server: LiveServer, alice: User) -> Iterator[Page]:
    """The first page, Alice logged in. Fails when anything was refused by the policy, or broke, while it was open."""
    complaints = listen(page)
    come_in(page, live_server, alice)
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


def come_in(page: Page, live_server: LiveServer, person: User) -> None:
    """Open the first page in a session that the person has already: the form and its answer are two pages more."""
    before = Client()
    before.force_login(person)
    session = before.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])
    page.goto(live_server.url)


def _complaint(message: ConsoleMessage) -> list[str]:
    # A refusal that a page shows in words is also a line here: "the server responded with a status of 409".
    is_told = "status of 409" in message.text
    return [message.text] if message.type in {"error", "warning"} and not is_told else []
