"""A workspace at the console: settings, files, lock, tasks. Refusals are words, and what was typed stays."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests import factories as rows
from tests.console import pages
from tests.console.conftest import browser
from tests.tasks import factories
from workspaces.models import Configuration, Workspace

SETTINGS: dict[str, Any] = {
    "name": "network-prod",
    "description": "The network",
    "execution_mode": "local",
    "engine": "terraform",
    "plan_timeout_seconds": "3600",
    "apply_timeout_seconds": "14400",
}
MAIN = 'resource "terraform_data" "one" {\n}\n'


@pytest.fixture
def workspace(db: Any) -> Workspace:
    """A workspace without a configuration."""
    return rows.workspace(name="web")


def test_a_workspace_is_made(console: Client) -> None:
    answer = console.post("/workspaces/new", SETTINGS)
    made = Workspace.objects.get(name="network-prod")
    assert answer["Location"] == f"/workspaces/{made.pk}"
    page = pages.text(console.get(answer["Location"]))
    assert "The settings of workspace network-prod are stored." in page
    assert "This workspace has no configuration yet." in page


def test_k8s_mode_without_a_pool_is_refused_in_words_and_the_input_kept(console: Client, workspace: Workspace) -> None:
    address = f"/workspaces/{workspace.pk}/settings"
    answer = console.post(address, {**SETTINGS, "execution_mode": "k8s", "description": "Moved to pods"})
    assert answer.status_code == 400
    assert "Execution mode k8s needs a pool of type k8s" in pages.text(answer)
    assert "Moved to pods" in answer.content.decode()
    assert '<option value="k8s" selected>' in answer.content.decode()
    workspace.refresh_from_db()
    assert (workspace.execution_mode, workspace.name) == ("local", "web")


def test_a_static_pool_is_refused_for_k8s_mode(console: Client, workspace: Workspace) -> None:
    fields = {**SETTINGS, "execution_mode": "k8s", "pool": rows.pool().pk}
    answer = console.post(f"/workspaces/{workspace.pk}/settings", fields)
    assert (answer.status_code, "needs a pool of type k8s" in pages.text(answer)) == (400, True)


def test_a_workspace_moves_to_a_pool_of_pods(console: Client, workspace: Workspace) -> None:
    pool = rows.k8s_pool()
    fields = {**SETTINGS, "execution_mode": "k8s", "pool": pool.pk}
    assert console.post(f"/workspaces/{workspace.pk}/settings", fields).status_code == 303
    workspace.refresh_from_db()
    assert (workspace.execution_mode, workspace.pool) == ("k8s", pool)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "-rf", "a name cannot start with a dash"),
        ("terraform_version", "latest", "Give a whole version such as 1.11.4."),
        ("working_directory", "../up", "stays inside"),
        ("plan_timeout_seconds", "1", "greater than or equal to 10"),
    ],
)
def test_each_wrong_setting_is_named_beside_its_field(console: Client, field: str, value: str, sentence: str) -> None:
    answer = console.post("/workspaces/new", {**SETTINGS, field: value})
    page = answer.content.decode()
    assert (answer.status_code, sentence in pages.text(answer)) == (400, True)
    assert f'id="id_{field}_error"' in page
    assert 'aria-invalid="true"' in page


def test_a_name_that_is_taken_is_refused(console: Client, workspace: Workspace) -> None:
    answer = console.post("/workspaces/new", {**SETTINGS, "name": "web"})
    assert (answer.status_code, "already exists" in pages.text(answer)) == (400, True)


def test_texts_that_are_too_large_are_refused_before_they_are_read(console: Client, workspace: Workspace) -> None:
    address = f"/workspaces/{workspace.pk}/configurations"
    for size in (1024 * 1024, 5 * 1024 * 1024):
        chosen = SimpleUploadedFile("data.json", b"1" * size)
        answer = console.post(address, {"path": "main.tf", "text": MAIN, "files": [chosen]})
        assert answer.status_code in {400, 413}
        assert "Upload it as an archive" in pages.text(answer)
    assert not Configuration.objects.filter(workspace=workspace).exists()


def test_files_are_typed_or_chosen_from_disk(console: Client, workspace: Workspace) -> None:
    address = f"/workspaces/{workspace.pk}/configurations"
    chosen = SimpleUploadedFile("outputs.tf", b'output "one" {\n  value = 1\n}\n')
    answer = console.post(address, {"path": "main.tf", "text": MAIN.replace("\n", "\r\n"), "files": [chosen]})
    assert answer.status_code == 303
    stored = Configuration.objects.get(workspace=workspace)
    assert stored.files is not None and stored.files["main.tf"] == MAIN
    assert sorted(stored.files) == ["main.tf", "outputs.tf"]
    assert "terraform_data" in pages.text(console.get(f"{address}/1"))


@pytest.mark.parametrize(
    ("path", "content", "sentence"),
    [
        ("main.tf", 'resource "x" {', "main.tf line"),
        ("../main.tf", MAIN, "stays inside"),
        ("notes.txt", "hello", "There is no file that ends in .tf"),
        ("main.tf", "  ", "There is no file that ends in .tf"),
    ],
)
def test_files_that_make_no_configuration_are_refused_and_kept_in_the_form(
    console: Client, workspace: Workspace, path: str, content: str, sentence: str
) -> None:
    answer = console.post(f"/workspaces/{workspace.pk}/configurations", {"path": path, "text": content})
    assert (answer.status_code, sentence in pages.text(answer)) == (400, True)
    assert f'value="{path}"' in answer.content.decode()
    assert not Configuration.objects.exists()


def test_a_file_that_is_no_text_is_refused(console: Client, workspace: Workspace) -> None:
    chosen = SimpleUploadedFile("main.tf", b"\xff\xfe")
    answer = console.post(f"/workspaces/{workspace.pk}/configurations", {"files": [chosen]})
    assert (answer.status_code, "main.tf is not UTF-8 text" in pages.text(answer)) == (400, True)


def test_a_lock_needs_a_reason_and_everybody_reads_it(console: Client, workspace: Workspace) -> None:
    page = f"/workspaces/{workspace.pk}"
    assert console.post(f"{page}/lock", {"reason": ""}).status_code == 400
    console.post(f"{page}/lock", {"reason": "moving house"})
    assert "Locked by user:ann: nothing that changes things starts. moving house" in pages.text(console.get(page))
    console.post(f"{page}/unlock")
    assert "Locked by" not in pages.text(console.get(page))


def test_a_lock_of_somebody_else_is_not_taken(console: Client, workspace: Workspace) -> None:
    browser(rows.admin("bob")).post(f"/workspaces/{workspace.pk}/lock", {"reason": "mine"})
    answer = console.post(f"/workspaces/{workspace.pk}/lock", {"reason": "no, mine"})
    assert (answer.status_code, "is locked by user:bob" in pages.text(answer)) == (409, True)


def test_the_lock_of_a_task_leads_to_the_task(console: Client) -> None:
    task = factories.needing_attention()
    page = console.get(f"/workspaces/{task.workspace_id}")
    assert f'<a class="button main" href="{pages.address(task)}">' in page.content.decode()
    assert f"/workspaces/{task.workspace_id}/unlock" not in pages.forms(page)


def test_unlocking_what_is_not_locked_is_409(console: Client, workspace: Workspace) -> None:
    answer = console.post(f"/workspaces/{workspace.pk}/unlock")
    assert (answer.status_code, "is not locked" in pages.text(answer)) == (409, True)


def test_a_task_is_begun_from_the_page(console: Client) -> None:
    workspace = rows.configured()
    answer = console.post(f"/workspaces/{workspace.pk}/tasks", {"task_type": "plan", "description": "drift"})
    task = workspace.tasks.get()
    assert answer["Location"] == pages.address(task)
    assert (task.task_type, task.description) == ("plan", "drift")


def test_a_task_without_files_is_refused_with_what_to_do(console: Client, workspace: Workspace) -> None:
    answer = console.post(f"/workspaces/{workspace.pk}/tasks", {"task_type": "plan"})
    assert (answer.status_code, "has no configuration yet" in pages.text(answer)) == (409, True)


def test_state_versions_are_listed_without_their_content(console: Client, workspace: Workspace) -> None:
    factories.store_state(workspace.pk, serial=7)
    assert "7 0" in pages.text(console.get(f"/workspaces/{workspace.pk}/state-versions"))


def test_who_may_only_look_is_offered_no_form_and_refused_each(workspace: Workspace) -> None:
    page = f"/workspaces/{workspace.pk}"
    may = ("workspace", "configuration", "variable", "stateversion")
    looker = browser(rows.person(*(f"workspaces.view_{name}" for name in may)))
    for address in (page, f"{page}/configurations", f"{page}/variables", f"{page}/state-versions"):
        assert set(pages.forms(looker.get(address))) <= {"/logout/"}
    for address in (
        f"{page}/lock",
        f"{page}/settings",
        f"{page}/configurations",
        f"{page}/variables",
        "/workspaces/new",
    ):
        answer = looker.post(address, {**SETTINGS, "reason": "x", "key": "a", "category": "env", "text": MAIN})
        assert (address, answer.status_code) == (address, 403)
        assert "You need the permission workspaces." in pages.text(answer)


def test_what_may_not_be_seen_is_404(workspace: Workspace) -> None:
    stranger = browser(rows.person())
    page = f"/workspaces/{workspace.pk}"
    for address in (page, f"{page}/settings", f"{page}/configurations", f"{page}/variables", f"{page}/state-versions"):
        assert (address, stranger.get(address).status_code) == (address, 404)
    assert stranger.post(f"{page}/lock", {"reason": "x"}).status_code == 404


def test_the_form_begins_with_no_file_that_the_person_may_not_see(workspace: Workspace) -> None:
    Configuration.objects.create(workspace=workspace, number=1, files={"main.tf": MAIN}, digest="0" * 64)
    address = f"/workspaces/{workspace.pk}/configurations"
    rights = ["workspaces.view_workspace", "workspaces.add_configuration"]
    assert "terraform_data" not in browser(rows.person(*rights)).get(address).content.decode()
    reader = browser(rows.person(*rights, "workspaces.view_configuration"))
    assert "terraform_data" in reader.get(address).content.decode()
