"""The log on a task's page: whole lines, coloured by classes, escaped, and only what is new."""

import re

import pytest
from django.test import Client

from iacplatform.console import sgr, tails
from tasks.models import Task
from tasks.models.querysets import Tasks
from tests.console import pages
from tests.tasks import factories


def tail(console: Client, task: Task, *, attempt: int = 1, offset: int = 0, phase: str = "plan") -> str:
    """Return the part that the page asks for, or an empty text where nothing is new."""
    query = {"attempt": attempt, "offset": offset}
    return console.get(pages.address(task, f"log/{phase}"), query).content.decode()


def offset(part: str) -> int:
    """Return where the page would go on."""
    found = re.search(r"offset=(\d+)", part)
    assert found is not None, part
    return int(found[1])


def test_the_page_shows_the_log_and_asks_for_what_follows(console: Client) -> None:
    task = factories.planning()
    factories.say(task, b"first line\nsecond", b" line\nhalf a li")
    page = console.get(pages.address(task)).content.decode()
    assert "second line" in page
    assert "half a li" not in page
    assert "attempt=1&amp;offset=23" in page


def test_only_new_whole_lines_are_sent(console: Client) -> None:
    task = factories.planning()
    factories.say(task, b"first\nsec")
    part = tail(console, task, attempt=0)
    assert "first" in part
    assert console.get(pages.address(task, "log/plan"), {"attempt": 1, "offset": 6}).status_code == 204
    factories.say(task, b"ond\n")
    part = tail(console, task, offset=offset(part))
    assert ("second" in part, "first" in part) == (True, False)
    assert 'hx-swap-oob="beforeend:#log-plan"' in part


def test_whose_turn_it_is_is_not_worked_out_each_time(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    task = factories.planning()
    factories.say(task, b"first\n")
    monkeypatch.delattr(Tasks, "with_outlook")
    assert "first" in tail(console, task, attempt=0)


def test_a_new_attempt_replaces_the_lines_of_the_one_before(console: Client) -> None:
    task = factories.backing_off()
    factories.say(factories.running(task), b"once more\n")
    part = tail(console, task, attempt=1, offset=500)
    assert 'hx-swap-oob="innerHTML:#log-plan"' in part
    assert "once more" in part
    assert "attempt=2&amp;offset=10" in part


def test_following_ends_with_the_task(console: Client) -> None:
    task = factories.planning()
    factories.say(task, b"no newline at the end")
    factories.finish(task, "failed", exit_code=1, log_bytes=21)
    part = tail(console, task)
    assert "no newline at the end" in part
    assert "hx-trigger" not in part


def test_of_a_long_log_the_page_shows_the_end(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "FIRST_BYTES", 12)
    task = factories.planning()
    factories.say(task, b"a long story\n", b"its very end\n")
    page = pages.text(console.get(pages.address(task)))
    assert "a long story" not in page
    assert "are left out here" in page


def test_a_page_that_is_far_behind_goes_on_at_the_end(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "FIRST_BYTES", 9)
    monkeypatch.setattr(tails, "FAR_BYTES", 21)
    task = factories.planning()
    factories.say(task, b"a story\n", b"that is long\n", b"the end\n")
    part = tail(console, task, attempt=1, offset=8)
    assert "that is long" in part, "it is near enough"
    part = tail(console, task, attempt=1, offset=0)
    assert 'hx-swap-oob="innerHTML:#log-plan"' in part
    assert ("the end" in part, "that is long" in part) == (True, False)
    assert "are left out here" in part
    assert "offset=29" in part


def test_an_unknown_phase_is_404_and_a_strange_offset_begins_anew(console: Client) -> None:
    task = factories.planning()
    factories.say(task, b"line\n")
    assert console.get(pages.address(task, "log/lunch")).status_code == 404
    answer = console.get(pages.address(task, "log/plan"), {"attempt": "1", "offset": "-5' OR 1"})
    assert "line" in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain\n", "<span>plain\n</span>"),
        ("a <b> & c\n", "<span>a &lt;b&gt; &amp; c\n</span>"),
        ("\x1b[32mgreen\x1b[0m no\n", '<span><b class="g">green</b> no\n</span>'),
        ("\x1b[1;31mred\x1b[39m bold\n", '<span><b class="bold r">red</b><b class="bold"> bold</b>\n</span>'),
        ("\x1b[33my\nz\x1b[0m\n", '<span><b class="y">y</b>\n</span><span><b class="y">z</b>\n</span>'),
        ("\x1b[38;5;31mnone\x1b[0m\n", "<span>none\n</span>"),
        ("\x1b[2Kgone\x1b]8;;http://x\x07link\n", "<span>gonelink\n</span>"),
        ("bell\x07 and \x1b alone\r\n", "<span>bell and  alone\n</span>"),
        (f"\x1b[{'9' * 5000}mlong\n", "<span>long\n</span>"),
        (f"\x1b[{'1;' * 100}mlong\n", "<span>long\n</span>"),
        ("", ""),
        ("\n\n", "<span>\n</span><span>\n</span>"),
    ],
)
def test_colours_become_classes_and_everything_else_is_text(text: str, html: str) -> None:
    assert sgr.lines(text) == html
