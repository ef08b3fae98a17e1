"""What the page asks for while it is open: nothing where nothing changed, else the parts that did; until the end."""

import re
from datetime import timedelta

from django.test import Client

from iacplatform.base import clock
from tasks import cancellation, confirmation
from tests.console import pages
from tests.tasks import factories


def asks(answer: pages.Answer) -> str:
    """Return the address that the state part asks next, or an empty text."""
    found = re.search(r'id="state"\s+hx-get="([^"]+)"', answer.content.decode())
    return found[1].replace("&amp;", "&") if found else ""


def test_nothing_is_sent_while_nothing_changed(console: Client) -> None:
    clock.shift(timedelta(seconds=60 - clock.now().second))  # its times are renewed with every minute
    page = console.get(pages.address(factories.awaiting_confirmation()))
    assert console.get(asks(page)).status_code == 204


def test_a_move_brings_the_new_state_and_its_event(console: Client) -> None:
    task = factories.awaiting_confirmation()
    page = console.get(pages.address(task))
    confirmation.confirm(task, by=factories.person())
    part = console.get(asks(page))
    assert "<html" not in part.content.decode()
    assert "awaits confirmation → confirmed" in pages.text(part)
    assert "confirm-apply" not in pages.actions(part, task)


def test_a_plan_that_is_made_meanwhile_appears(console: Client) -> None:
    task = factories.planning()
    page = console.get(pages.address(task))
    factories.planned(task, plan={"resource_changes": [{"address": "a.b", "change": {"actions": ["create"]}}]})
    part = console.get(asks(page)).content.decode()
    assert 'id="plan" hx-swap-oob="true"' in part
    assert "a.b" in part


def test_the_times_on_it_are_renewed_every_minute(console: Client) -> None:
    page = console.get(pages.address(factories.awaiting_confirmation()))
    clock.shift(timedelta(minutes=2))
    assert "2 min ago" in pages.text(console.get(asks(page)))


def test_it_stops_asking_when_the_task_is_final(console: Client) -> None:
    task = factories.planning()
    page = console.get(pages.address(task))
    cancellation.cancel(task, by=factories.person())
    factories.finish(factories.reread(task), "cancelled")
    part = console.get(asks(page))
    assert "Cancelled." in pages.text(part)
    assert asks(part) == ""
