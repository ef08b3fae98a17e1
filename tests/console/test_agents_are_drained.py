"""Draining an agent at the console: it takes nothing new, and the page says so."""

from django.test import Client

from agents.models import Agent
from tests import factories as rows
from tests.console import pages
from tests.console.conftest import browser
from tests.tasks import factories


def test_an_agent_is_drained_from_its_row(console: Client) -> None:
    ada = factories.agent("ada", connected=True)
    address = f"/agents/{ada.pk}/drain"
    form = pages.forms(console.get("/agents/"))[address]
    answer = console.post(address, form, follow=True)
    assert "Agent ada takes nothing new" in pages.text(answer)
    assert Agent.objects.get(pk=ada.pk).draining
    assert address not in pages.forms(answer), "A drained agent is not offered to be drained."


def test_pressing_twice_is_pressing_once(console: Client) -> None:
    ada = factories.agent("ada", connected=True)
    for _ in range(2):
        assert console.post(f"/agents/{ada.pk}/drain").status_code == 303


def test_what_it_runs_goes_on(console: Client) -> None:
    ada = factories.agent("ada", connected=True, capacity=2)
    task = factories.running(factories.offered(on=ada))
    console.post(f"/agents/{ada.pk}/drain")
    assert factories.reread(task).status == "running"
    assert factories.reread(factories.pending()).lease == ""


def test_draining_needs_its_permission(console: Client) -> None:
    ada = factories.agent("ada", connected=True)
    looker = browser(rows.person("agents.view_agent"))
    assert f"/agents/{ada.pk}/drain" not in pages.forms(looker.get("/agents/"))
    assert looker.post(f"/agents/{ada.pk}/drain").status_code == 403
    assert not Agent.objects.get(pk=ada.pk).draining


def test_an_agent_that_is_not_there_is_not_found(console: Client) -> None:
    assert console.post("/agents/agent-nobody/drain").status_code == 404
