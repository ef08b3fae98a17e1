"""Lists and the first page: what they show, in pages, with as many queries for twenty rows as for one."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pools.models import Pool
from tests import factories as rows
from tests.console import fleets, pages
from tests.console.conftest import browser
from tests.tasks import factories


def queries(console: Client, path: str) -> int:
    """Return how many queries the page takes."""
    with CaptureQueriesContext(connection) as seen:
        assert console.get(path).status_code == 200
    return len(seen)


def _hindered() -> Pool:
    number = Pool.objects.count()
    pool = fleets.pool(name=f"edge-{number}")
    fleets.condition(pool, "quota_exceeded")
    fleets.waiting(pool)
    return pool


def _pod() -> object:
    return fleets.agent(fleets.pod(_hindered(), f"iac-edge-{Pool.objects.count()}"))


def _task() -> object:
    return factories.awaiting_confirmation(on=factories.agent(connected=True))


MAKERS: dict[str, Callable[[], object]] = {
    "/": _task,
    "/tasks/": _task,
    "/workspaces/": _task,
    "/agents/": _task,
    "/pools/": lambda: factories.agent(pool=rows.pool(), connected=True),
    "/pools/?of=pods": _pod,
    "/?of=pods": _pod,
    "/k8s-configs/": _pod,
}


@pytest.mark.parametrize("path", MAKERS)
def test_twenty_rows_cost_as_many_queries_as_one(console: Client, path: str) -> None:
    MAKERS[path]()
    for_one = queries(console, path)
    for _ in range(19):
        MAKERS[path]()
    assert queries(console, path) == for_one


def test_a_workspace_with_twenty_tasks_costs_as_much_as_with_one(console: Client) -> None:
    workspace = rows.configured()
    factories.pending(workspace=workspace, task_type="plan")
    for_one = queries(console, f"/workspaces/{workspace.pk}")
    for _ in range(19):
        factories.pending(workspace=workspace, task_type="plan")
    assert queries(console, f"/workspaces/{workspace.pk}") == for_one


def test_a_list_goes_on_on_the_next_page_with_its_filter(console: Client) -> None:
    workspace = rows.configured()
    for _ in range(51):
        factories.pending(workspace=workspace, task_type="plan")
    first = console.get("/tasks/?status=pending")
    assert 'href="?status=pending&amp;page=2"' in first.content.decode()
    second = pages.text(console.get("/tasks/?status=pending&page=2"))
    assert "Page 2" in second
    assert console.get("/tasks/?page=9").status_code == 404
    assert console.get("/tasks/?status=lunch").status_code == 404


def test_the_first_page_says_what_needs_somebody_and_what_does_not(console: Client) -> None:
    awaiting, lost, running = factories.awaiting_confirmation(), factories.needing_attention(), factories.applying()
    page = console.get("/")
    words = pages.text(page)
    needs, _, rest = words.partition("Running")
    assert f"#{awaiting.pk} {awaiting.workspace.name}" in needs
    assert "in the middle of the apply" in needs
    assert 'data-stuck="agent_lost"' in page.content.decode()
    assert f"#{running.pk} " not in needs
    assert f"#{running.pk} {running.workspace.name}" in rest
    assert "Now 2 Workspaces" in words
    assert f"#{lost.pk} " in needs


def test_the_first_page_names_pools_that_hold_tasks_up_and_counts_them(console: Client) -> None:
    pool = fleets.pool()
    fleets.condition(pool, "image_pull_failed", fleets.PULL)
    assert "Nothing. What runs goes on by itself" in pages.text(console.get("/"))
    fleets.waiting(pool)
    page = console.get("/")
    needs = fleets.read(page).partition("Running")[0]
    assert "Now 1 Workspaces" in needs
    assert "Needs somebody 1, what is stuck first" in needs
    assert "Pool edge holds up 1 task The pod's container does not start" in needs
    assert fleets.PULL in needs and "Correct the image or its pull secrets" in needs
    assert 'data-condition="image_pull_failed"' in page.content.decode()
    assert "Now 1 Workspaces" in pages.text(console.get("/tasks/"))
    assert "Pool edge" not in pages.text(browser(rows.person("tasks.view_task")).get("/"))


def test_an_empty_platform_says_what_to_do_first(console: Client) -> None:
    words = pages.text(console.get("/"))
    assert "Nothing. What runs goes on by itself" in words
    assert "Make a workspace" in words


def test_stuck_tasks_can_be_listed_alone(console: Client) -> None:
    lost, other = factories.needing_attention(), factories.pending()
    words = pages.text(console.get("/tasks/?stuck=true"))
    assert f"#{lost.pk} " in words
    assert f"#{other.pk} " not in words


def test_workspaces_are_found_by_name(console: Client) -> None:
    rows.workspace(name="network-prod")
    rows.workspace(name="billing")
    words = pages.text(console.get("/workspaces/?q=net"))
    assert "network-prod" in words
    assert "billing" not in words
    assert "No workspace has “zzz” in its name." in pages.text(console.get("/workspaces/?q=zzz"))


def test_agents_show_their_slots_and_who_holds_them(console: Client) -> None:
    agent = factories.agent("build-host-3", connected=True, capacity=3)
    reserved, running = factories.awaiting_confirmation(on=agent), factories.planning(on=agent)
    words = pages.text(console.get("/agents/"))
    assert "build-host-3 connected" in words
    assert f"#{reserved.pk} kept #{running.pk} free" in words


def test_an_agent_that_is_away_has_no_free_slots(console: Client) -> None:
    agent = factories.agent("build-host-3", capacity=3)
    reserved = factories.awaiting_confirmation(on=agent)
    words = pages.text(console.get("/agents/"))
    assert f"build-host-3 away local #{reserved.pk} kept terraform" in words


@pytest.mark.django_db
def test_lists_hold_only_what_the_person_may_see() -> None:
    task = factories.awaiting_confirmation()
    stranger = browser(rows.person())
    for path in ("/", "/tasks/", "/workspaces/", "/pools/", "/agents/"):
        assert task.workspace.name not in stranger.get(path).content.decode()
