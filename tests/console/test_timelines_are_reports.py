"""What happened to a task: the newest of it on its page, the whole as a report; each with who, why and which attempt."""

from datetime import timedelta

import pytest
from django.test import Client

from agents.models import Agent, Silence
from iacplatform.base import clock
from iacplatform.console import history
from tasks.models import TaskEvent
from tests import factories as rows
from tests.console import pages
from tests.console.conftest import browser
from tests.tasks import factories


def test_the_page_tells_the_newest_first_and_the_report_the_oldest(console: Client) -> None:
    task = factories.applied(on=factories.agent("ada"))
    page = console.get(pages.address(task)).content.decode().partition('id="timeline"')[2]
    report = console.get(pages.address(task, "timeline")).content.decode()
    assert page.index("running → applied") < page.index("Permitted to apply") < page.index("Created.")
    assert report.index("Created.") < report.index("Permitted to apply") < report.index("running → applied")
    assert "agent:ada, attempt 1" in report


def test_times_are_relative_with_the_exact_one_beside(console: Client) -> None:
    task = factories.pending()
    clock.shift(timedelta(minutes=4))
    page, exact = console.get(pages.address(task)), f"{task.created_at:%Y-%m-%d %H:%M:%S} UTC"
    assert "4 min ago" in pages.text(page)
    assert f'title="{exact}"' in page.content.decode().partition('id="timeline"')[2]
    assert exact in pages.text(console.get(pages.address(task, "timeline"))), "a report is read later, and elsewhere"


def test_a_silence_of_its_agent_stands_out(console: Client) -> None:
    task = factories.applying(on=factories.agent("ada"))
    quiet = {"silent_from": clock.now(), "heard_at": clock.now() + timedelta(seconds=40), "cause": "late"}
    Silence.objects.create(agent=Agent.objects.get(name="ada"), **quiet)
    page = console.get(pages.address(task))
    assert 'data-kind="heartbeat_gap"' in page.content.decode()
    assert "No heartbeat of agent ada came for 40 s" in pages.text(page)


def test_a_long_life_is_cut_on_the_page_and_whole_in_the_report(console: Client) -> None:
    task = factories.pending()
    dull = {"event": "offered", "before": "pending", "after": "pending", "actor": "platform:dispatcher"}
    TaskEvent.objects.bulk_create([TaskEvent(task=task, reason=f"No. {n}.", **dull) for n in range(history.ROWS)])
    page = console.get(pages.address(task))
    assert page.content.decode().count("data-kind=") == history.MOST
    assert f"the last {history.MOST}" in pages.text(page)
    report = console.get(pages.address(task, "timeline"))
    assert report.content.decode().count("data-kind=") == history.ROWS
    assert "Later →" in pages.text(report)
    rest = console.get(pages.address(task, "timeline") + "?page=2")
    assert rest.content.decode().count("data-kind=") == 1
    assert console.get(pages.address(task, "timeline") + "?page=3").status_code == 404


@pytest.mark.django_db
def test_who_may_not_see_the_task_sees_no_report() -> None:
    task = factories.pending()
    assert browser(rows.person()).get(pages.address(task, "timeline")).status_code == 404
