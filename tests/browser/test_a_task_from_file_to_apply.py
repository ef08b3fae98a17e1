"""The main path in a browser: a workspace, its file, a task whose plan is read and confirmed, its log as it grows."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tasks.models import Task
from tasks.states import Status
from tests.browser.conftest import log_in
from tests.tasks import factories

PLAN: dict[str, Any] = {
    "resource_changes": [
        {"address": "terraform_data.one", "change": {"actions": ["create"], "before": None, "after": {"input": 1}}}
    ]
}
STATE = "#state .status"


def waits_for_confirmation(page: Page, live_server: LiveServer) -> Task:
    """Open the page of a task whose plan is to be read, and return the task."""
    task = factories.awaiting_confirmation(plan=PLAN)
    page.goto(f"{live_server.url}/workspaces/{task.workspace_id}/tasks/{task.pk}")
    return task


def test_a_person_takes_a_workspace_to_an_apply(at_console: Page, live_server: LiveServer) -> None:
    page = at_console
    page.context.clear_cookies()
    log_in(page, live_server)
    page.get_by_role("link", name="Workspaces").click()
    page.get_by_role("link", name="New workspace").click()
    page.get_by_label("Name", exact=True).fill("network-prod")
    page.get_by_role("button", name="Make the workspace").click()
    page.get_by_role("link", name="Give it one").click()
    page.get_by_label("Text").fill('resource "terraform_data" "one" {\n  input = 1\n}\n')
    page.get_by_role("button", name="Store").click()
    page.get_by_placeholder("Why (optional)").fill("First light")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("First light")
    expect(page.locator("[data-turn]")).to_contain_text("no agent of pool local is connected")

    task = factories.running(Task.objects.get())
    expect(page.locator(STATE)).to_have_text("preparing")
    factories.say(task, b"\x1b[1mInitializing the backend...\x1b[0m\n")
    expect(page.locator("#log-plan")).to_contain_text("Initializing the backend...")
    factories.say(task, b"terraform_data.one: Refreshing\n")
    expect(page.locator("#log-plan > span")).to_have_count(2)

    factories.planned(task, plan=PLAN)
    expect(page.locator("#plan")).to_contain_text("1 to create")
    page.get_by_placeholder("Why (optional)").fill("as agreed")
    page.get_by_role("button", name="Confirm and apply").click()
    expect(page.get_by_text("The plan is confirmed.")).to_be_visible()

    task = factories.running(factories.reread(task))
    factories.say(task, b"terraform_data.one: Creating...\n")
    expect(page.locator("#log-apply")).to_contain_text("Creating...")
    factories.finish(task, "applied", log_bytes=32)
    expect(page.locator(STATE)).to_have_text("applied")
    expect(page.locator("#state[hx-get]")).to_have_count(0)
    expect(page.get_by_text("Confirmed by alice")).to_contain_text("as agreed")


def test_what_is_typed_survives_the_refresh_of_the_state(at_console: Page, live_server: LiveServer) -> None:
    task = waits_for_confirmation(at_console, live_server)
    reason = at_console.get_by_placeholder("Why (optional)")
    reason.press_sequentially("as agr")
    Task.objects.filter(pk=task.pk).update(description="Renamed meanwhile", stage="renamed")
    expect(at_console.get_by_role("heading", level=1)).to_have_text("Renamed meanwhile")
    expect(reason).to_have_value("as agr")


def test_the_keyboard_alone_confirms(at_console: Page, live_server: LiveServer) -> None:
    task = waits_for_confirmation(at_console, live_server)
    for _ in range(40):
        at_console.keyboard.press("Tab")
        if at_console.evaluate("document.activeElement.id") == "do-confirm-apply":
            break
    outline = at_console.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    at_console.keyboard.press("Enter")
    expect(at_console.get_by_text("The plan is confirmed.")).to_be_visible()
    assert factories.reread(task).status == Status.CONFIRMED


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_a_plan_is_read_and_confirmed(page: Page, live_server: LiveServer, alice: Any) -> None:
    log_in(page, live_server)
    task = waits_for_confirmation(page, live_server)
    expect(page.locator("#plan")).to_contain_text("terraform_data.one")
    page.get_by_role("button", name="Confirm and apply").click()
    expect(page.get_by_text("The plan is confirmed.")).to_be_visible()
    assert factories.reread(task).status == Status.CONFIRMED


def test_a_second_tab_cannot_confirm_a_plan_that_it_did_not_show(at_console: Page, live_server: LiveServer) -> None:
    task = waits_for_confirmation(at_console, live_server)
    at_console.route(re.compile("/live"), lambda route: route.fulfill(status=204))
    factories.store_state(task.workspace_id)
    from_elsewhere = at_console.request
    token = at_console.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    address = f"{live_server.url}/workspaces/{task.workspace_id}/tasks/{task.pk}"
    from_elsewhere.post(f"{address}/retry", form={"csrfmiddlewaretoken": token}, headers={"Referer": address})
    factories.awaiting_confirmation(factories.running(factories.reread(task)), plan=PLAN)
    at_console.get_by_role("button", name="Confirm and apply").click()
    expect(at_console.locator("[data-problem]")).to_contain_text("has another plan now")
    assert factories.reread(task).status == Status.APPLY_PENDING


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.browser_context_args(viewport={"width": 390, "height": 844})
def test_no_page_is_wider_than_a_phone(at_console: Page, live_server: LiveServer, scheme: Any) -> None:
    at_console.emulate_media(color_scheme=scheme)
    task = waits_for_confirmation(at_console, live_server)
    workspace = f"/workspaces/{task.workspace_id}"
    tabs = [f"{workspace}/{tab}" for tab in ("settings", "variables", "configurations", "state-versions")]
    pool = f"/pools/{task.workspace.pool_id or ''}"
    for path in ("/", workspace, *tabs, f"{workspace}/tasks/{task.pk}", "/workspaces/", "/tasks/", "/agents/", pool):
        at_console.goto(live_server.url + path)
        wide = at_console.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{path} is {wide} pixels wide"
