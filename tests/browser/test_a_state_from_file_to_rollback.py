"""A state in a browser: uploaded from a file, read, compared and rolled back; and an agent that is drained."""

from pathlib import Path

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.console.test_states_are_kept import SECRET, content
from tests.tasks import factories


def _upload(page: Page, folder: Path, data: bytes) -> None:
    file = folder / "terraform.tfstate"
    file.write_bytes(data)
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload").click()


def test_a_state_is_uploaded_read_and_rolled_back(at_console: Page, live_server: LiveServer, tmp_path: Path) -> None:
    page, workspace = at_console, factories.workspace(name="network")
    page.goto(f"{live_server.url}/workspaces/{workspace.pk}/state-versions")
    _upload(page, tmp_path, content(1, "kept", "gone"))
    expect(page.get_by_role("heading", name="State serial 1")).to_be_visible()
    page.get_by_role("link", name="State", exact=True).click()
    _upload(page, tmp_path, content(2, "kept", "new"))
    expect(page.get_by_text("terraform_data.gone")).to_be_visible()
    expect(page.get_by_text("sensitive, not shown")).to_be_visible()
    assert SECRET not in page.content()
    page.get_by_role("link", name="serial 1").click()
    page.get_by_text("Roll back…").click()
    page.get_by_role("button", name="Make serial 1 the state again").click()
    expect(page.get_by_role("heading", name="State serial 3")).to_be_visible()
    page.get_by_role("link", name="State", exact=True).click()


def test_an_agent_is_drained(at_console: Page, live_server: LiveServer) -> None:
    page = at_console
    factories.agent("ada", connected=True)
    factories.agent("bob", connected=True)
    page.goto(f"{live_server.url}/agents/")
    page.get_by_text("Drain… ada").click()
    page.get_by_role("button", name="Drain ada").click()
    expect(page.get_by_text("Agent ada takes nothing new")).to_be_visible()
    expect(page.get_by_text("Drain… ada")).to_have_count(0)
