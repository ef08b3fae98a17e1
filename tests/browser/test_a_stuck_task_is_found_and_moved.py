"""A stuck task in a browser: found on the first page, understood on its own, moved by its button."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from agents import dispatcher
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from pools.models import Pool
from tasks.models import Task
from tests.tasks import factories
from workspaces.models import StateLock

"""Milliseconds: several turns of a page that asks every two seconds."""
STUCK = "[data-stuck]"
LOG = [
    b'dns_record.a["www"]: Creating...\n',
    b'dns_record.a["www"]: Creation complete after 2s [id=www]\n',
    b'dns_record.a["mail"]: Creating...\n',
]


def lost_in_mid_apply() -> Task:
    """Return a task whose agent was lost after it had created something that no saved state knows of."""
    task = factories.applying(on=factories.agent("build-host-3"), workspace=factories.workspace(name="dns-prod"))
    factories.store_state(task.workspace_id, serial=88)
    held = {"holder": f"task:{task.pk}", "task_id": task.pk, "epoch": task.epoch, "phase": "apply"}
    info = {"Operation": "OperationTypeApply"}
    StateLock.objects.create(workspace=task.workspace, lock_id="9f1c", info=info, agent_id=task.agent_id, **held)
    factories.say(task, *LOG)
    clock.shift(timedelta(minutes=7))
    Agent.objects.update(lease_until=clock.now())
    return factories.lose(task)


def open_the_stuck_one(page: Page, live_server: LiveServer) -> None:
    """Go by the first page, as somebody who was called does."""
    Beat.objects.strike(SWEEP)
    page.goto(live_server.url + "/")
    expect(page.locator(STUCK)).to_have_count(1)
    page.locator(STUCK).get_by_role("link", name="Look at it").click()
    expect(page.locator(STUCK)).to_be_visible()


def test_a_lost_apply_is_understood_and_marked_as_failed(at_console: Page, live_server: LiveServer) -> None:
    task = lost_in_mid_apply()
    queued = factories.pending(workspace=task.workspace)
    open_the_stuck_one(at_console, live_server)
    known = at_console.locator("#known")
    expect(known).to_contain_text('dns_record.a["www"]')
    expect(known).to_contain_text("Orphaned for 7 min")
    expect(at_console.locator("#timeline")).to_contain_text("Permitted to apply")
    at_console.get_by_placeholder("Why it is over").fill("looked at the records: www is there")
    at_console.get_by_role("button", name="Mark as failed").click()
    expect(at_console.get_by_role("status")).to_contain_text("is marked as failed and has let go of its locks.")
    expect(at_console.locator("#state .status")).to_have_text("failed")
    expect(at_console.locator("#known")).to_be_hidden()
    expect(at_console.locator(STUCK)).to_have_count(0)
    expect(at_console.locator("#timeline")).to_contain_text("looked at the records: www is there")
    assert factories.reread(queued).status == "pending"
    assert not StateLock.objects.exists()


def test_a_lost_apply_is_planned_again_in_a_new_task(at_console: Page, live_server: LiveServer) -> None:
    task = lost_in_mid_apply()
    open_the_stuck_one(at_console, live_server)
    at_console.get_by_role("button", name="Plan again in a new task").click()
    new = Task.objects.latest("pk")
    expect(at_console).to_have_url(f"{live_server.url}/workspaces/{task.workspace_id}/tasks/{new.pk}")
    expect(at_console.get_by_role("status")).to_contain_text(f"it follows task {task.pk}")
    assert factories.reread(task).error_code == "marked_failed"


def test_a_confirmed_apply_goes_on_when_an_agent_is_there(at_console: Page, live_server: LiveServer) -> None:
    task = factories.confirmed(on=factories.agent("gone"))
    factories.lose(task)
    dispatcher.dispatch(Pool.objects.local().pk, cause="test")
    clock.shift(timedelta(minutes=2))
    open_the_stuck_one(at_console, live_server)
    expect(at_console.locator('[data-stuck="no_connected_agent"]')).to_contain_text(
        "Make a token of pool local and start an agent with it."
    )
    factories.agent("ada", connected=True)
    at_console.get_by_role("button", name="Retry apply").click()
    expect(at_console.get_by_role("status")).to_contain_text("Slot 0 of an agent is held for it.")
    expect(at_console.locator(STUCK)).to_have_count(0)


def test_an_open_page_shows_that_nobody_sweeps_and_when_it_goes_on(at_console: Page, live_server: LiveServer) -> None:
    Beat.objects.strike(SWEEP)
    task = factories.pending()
    at_console.goto(f"{live_server.url}/workspaces/{task.workspace_id}/tasks/{task.pk}")
    alarm = at_console.locator('[data-watch="scheduler_silent"]')
    expect(alarm).to_have_count(0)
    clock.shift(timedelta(minutes=3))
    expect(alarm).to_contain_text("Nobody has looked at the tasks for 3 min")
    expect(at_console.locator('[data-stuck="scheduler_silent"]')).to_contain_text("Before that:")
    Beat.objects.strike(SWEEP)
    expect(alarm).to_have_count(0)


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_it_is_found_and_marked_too(at_console: Page, live_server: LiveServer) -> None:
    lost_in_mid_apply()
    open_the_stuck_one(at_console, live_server)
    at_console.get_by_placeholder("Why it is over").fill("it is over")
    at_console.get_by_role("button", name="Mark as failed").click()
    expect(at_console.locator("#state .status")).to_have_text("failed")


@pytest.mark.browser_context_args(viewport={"width": 390, "height": 844})
def test_the_incident_fits_a_phone(at_console: Page, live_server: LiveServer) -> None:
    task = lost_in_mid_apply()
    clock.shift(timedelta(minutes=2))
    address = f"{live_server.url}/workspaces/{task.workspace_id}/tasks/{task.pk}"
    for path in (address, f"{address}/timeline", live_server.url + "/"):
        at_console.goto(path)
        wide = at_console.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{path} is {wide} pixels wide"
