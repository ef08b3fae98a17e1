"""A long log in a browser: the page opens at its end, stays there while it grows, and stays where a reader scrolls to."""

from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tasks.models import Task
from tests.tasks import factories

LINES = 12_000
"""About 500 kB, twice of what the page shows."""

_IS_AT_END = "box => box.scrollHeight - box.scrollTop - box.clientHeight < 24"


def lines(first: int, count: int) -> bytes:
    return b"".join(b"line %07d of what the engine says\n" % number for number in range(first, first + count))


def open_log(page: Page, live_server: LiveServer) -> tuple[Task, Locator]:
    """Open the page of a task with a long log; return its box too."""
    task = factories.planning()
    factories.say(task, *(lines(first, 1000) for first in range(0, LINES, 1000)))
    page.goto(f"{live_server.url}/workspaces/{task.workspace_id}/tasks/{task.pk}")
    return task, page.locator("#log-plan")


def test_it_opens_at_the_end_and_follows(at_console: Page, live_server: LiveServer) -> None:
    task, box = open_log(at_console, live_server)
    expect(box).to_contain_text(f"line {LINES - 1:07}")
    expect(box).not_to_contain_text("line 0000000")
    expect(at_console.get_by_text("are left out here")).to_be_visible()
    assert box.evaluate(_IS_AT_END)
    factories.say(task, lines(LINES, 50))
    expect(box).to_contain_text(f"line {LINES + 49:07}")
    assert box.evaluate(_IS_AT_END)


def test_who_reads_farther_up_is_not_moved(at_console: Page, live_server: LiveServer) -> None:
    task, box = open_log(at_console, live_server)
    box.evaluate("box => { box.scrollTop = 100 }")
    factories.say(task, lines(LINES, 50))
    expect(box).to_contain_text(f"line {LINES + 49:07}")
    assert box.evaluate("box => box.scrollTop") == 100


def test_a_page_that_follows_for_long_keeps_the_last_lines(at_console: Page, live_server: LiveServer) -> None:
    task, box = open_log(at_console, live_server)
    at_console.evaluate("document.querySelector('#log-plan').dataset.most = 100")
    factories.say(task, lines(LINES, 50))
    expect(box).to_contain_text(f"line {LINES + 49:07}")
    assert box.evaluate("box => box.childElementCount") == 100
