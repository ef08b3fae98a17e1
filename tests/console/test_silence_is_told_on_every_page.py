"""A dead worker and a broken promise show at once: both are asked of the rows, by whoever opens a page."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.test import Client

from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from tasks.models import Task
from tasks.models.querysets import Tasks
from tests import factories as rows
from tests.console import pages
from tests.console.conftest import browser
from tests.tasks import factories

PAGES = ["/", "/workspaces/", "/tasks/", "/pools/", "/agents/"]
SILENT = 'data-watch="scheduler_silent"'
BROKEN = 'data-watch="unexplained"'


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_said_while_somebody_looks(console: Client, path: str) -> None:
    Beat.objects.strike(SWEEP)
    page = console.get(path).content.decode()
    assert SILENT not in page and BROKEN not in page


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_for_how_long_nobody_has_looked(console: Client, path: str) -> None:
    Beat.objects.strike(SWEEP)
    clock.shift(timedelta(minutes=4))
    page = console.get(path)
    assert SILENT in page.content.decode()
    assert "Nobody has looked at the tasks for 4 min ." in pages.text(page)
    assert "manage.py qcluster" in pages.text(page)


def test_a_worker_that_never_began_is_told_too(console: Client) -> None:
    assert "Nobody has looked at the tasks yet." in pages.text(console.get("/"))


def test_an_open_page_learns_of_the_silence_and_of_its_end(console: Client) -> None:
    Beat.objects.strike(SWEEP)
    task = factories.awaiting_confirmation()
    seen = console.get(pages.address(task)).context["version"]
    clock.shift(timedelta(seconds=31))
    part = console.get(f"{pages.address(task, 'live')}?seen={seen}")
    assert SILENT in part.content.decode()
    Beat.objects.strike(SWEEP)
    part = console.get(f"{pages.address(task, 'live')}?seen={part.context['version']}")
    assert 'id="watch" class="watch gone" hx-swap-oob="true"' in part.content.decode()


def test_the_first_page_is_loud_about_a_task_that_does_not_say_why_it_waits(console: Client) -> None:
    task = factories.pending()
    with patch.object(Tasks, "breaking_the_promise", lambda tasks: tasks.filter(pk=task.pk)):
        page = console.get("/")
        blind = browser(rows.person()).get("/")
    assert "1 task lacks a reason, an owner or a next look." in pages.text(page)
    assert "manage.py doctor" in pages.text(page)
    assert f'href="{pages.address(task)}"' in page.content.decode()
    assert BROKEN in blind.content.decode() and pages.address(task) not in blind.content.decode()


def test_the_first_page_says_whose_turn_it_is_and_for_how_long(console: Client) -> None:
    reader, lost = factories.awaiting_confirmation(), factories.needing_attention()
    clock.shift(timedelta(minutes=4))
    page = console.get("/")
    text = pages.text(page)
    assert text.index(f"#{lost.pk} ") < text.index(f"#{reader.pk} "), "what is stuck comes first"
    assert text.count("It has waited for 4 min") == 2
    assert text.count("Your turn: ") == 2
    assert page.content.decode().count("data-stuck=") == 1


@pytest.mark.django_db
def test_who_can_only_look_reads_that_it_is_a_persons_turn() -> None:
    factories.awaiting_confirmation()
    page = browser(rows.person("tasks.view_task")).get("/")
    assert "A person's turn: the plan is made" in pages.text(page)


def test_a_plan_that_waits_for_its_reader_is_not_stuck(console: Client) -> None:
    task = factories.awaiting_confirmation()
    Beat.objects.strike(SWEEP)
    clock.shift(timedelta(days=3))
    Beat.objects.strike(SWEEP)
    page = console.get(pages.address(task))
    assert "It has waited for 3 d" in pages.text(page)
    assert pages.stuck(page) == {}
    assert Task.objects.stuck().count() == 0
