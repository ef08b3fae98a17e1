"""States at the console: what a version holds and what changed; uploading one and rolling back; no secret is shown."""

import json
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from iacplatform.console import states as pages_of_states
from tests import factories as rows
from tests.console import pages
from tests.console.conftest import browser
from tests.tasks import factories
from workspaces import state_documents, states
from workspaces.models import StateVersion, Workspace
from workspaces.state_api import person

SECRET = "hunter2-hunter2"


def content(serial: int, *names: str, lineage: str = "lineage-1") -> bytes:
    """Return a state with these resources, an open output and a secret one."""
    provider = 'provider["terraform.io/builtin/terraform"]'
    known = {"mode": "managed", "type": "terraform_data", "provider": provider}
    listed = [{**known, "name": name, "instances": [{"attributes": {"input": serial}}]} for name in names]
    outputs = {
        "url": {"value": {"a": ["<b>"]}, "type": "dynamic"},
        "token": {"value": SECRET, "type": "string", "sensitive": True},
    }
    head = {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage}
    return json.dumps({**head, "outputs": outputs, "resources": listed}).encode()


@pytest.fixture
def workspace(db: Any) -> Workspace:
    """A workspace with two versions of a state, of serial 1 and 2."""
    made = factories.workspace()
    ann = person(rows.admin(), made.pk)
    states.upload(made.pk, content(1, "kept", "gone"), ann)
    states.upload(made.pk, content(2, "kept", "new"), ann)
    return made


def at(workspace: Workspace, *rest: object) -> str:
    return "/".join(["/workspaces", workspace.pk, "state-versions", *map(str, rest)])


def upload(console: Client, workspace: Workspace, data: bytes) -> Any:
    """Send a file by the page's form."""
    return console.post(at(workspace), {"state": SimpleUploadedFile("terraform.tfstate", data)})


def test_a_version_shows_what_it_holds_and_what_changed(console: Client, workspace: Workspace) -> None:
    assert at(workspace, 2) in console.get(at(workspace)).content.decode()
    page = console.get(at(workspace, 2))
    text = pages.text(page)
    assert "+ terraform_data.new" in text
    assert "- terraform_data.gone" in text
    assert "~ terraform_data.kept input" in text
    assert '"<b>"' in text and "&lt;b&gt;" in page.content.decode()


def test_a_page_parses_each_of_the_two_contentsonce(
    console: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = mock.Mock(wraps=state_documents.parse)
    monkeypatch.setattr(state_documents, "parse", parse)
    assert console.get(at(workspace, 2)).status_code == 200
    contents = [content(1, "kept", "gone"), content(2, "kept", "new")]
    assert sorted(call.args[0] for call in parse.call_args_list) == contents


def test_a_long_difference_is_cut_by_kind(console: Client, workspace: Workspace) -> None:
    upload(console, workspace, content(3, *(f"n{number:03}" for number in range(201))))
    text = pages.text(console.get(at(workspace, 3)))
    assert "n199" in text and "Of each kind the first 200" in text
    assert "- terraform_data.new" in text


def test_a_sensitive_output_is_not_shown(console: Client, workspace: Workspace) -> None:
    page = console.get(at(workspace, 2))
    assert SECRET not in page.content.decode()
    assert "token sensitive, not shown" in pages.text(page)


def test_the_first_version_came_out_of_nothing(console: Client, workspace: Workspace) -> None:
    text = pages.text(console.get(at(workspace, 1)))
    assert "it is the first one" in text and "+ output token" in text


def test_a_state_is_uploaded_from_a_file(console: Client, workspace: Workspace) -> None:
    answer = upload(console, workspace, content(7, "kept"))
    assert (answer.status_code, answer["Location"]) == (303, at(workspace, 7))
    assert "the state now" in pages.text(console.get(at(workspace, 7)))


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        (content(1, "kept"), 409, "Serial 1 is older"),
        (content(9, lineage="another"), 409, "belongs to another configuration"),
        (b"no json", 400, "The state is no JSON"),
        (b"", 400, "The state is no JSON"),
    ],
)
def test_what_cannot_follow_is_refused_in_words(
    console: Client, workspace: Workspace, data: bytes, status: int, sentence: str
) -> None:
    before = StateVersion.objects.count()
    answer = upload(console, workspace, data)
    assert (answer.status_code, StateVersion.objects.count()) == (status, before)
    assert sentence in pages.text(answer)


def test_a_form_without_a_file_says_so(console: Client, workspace: Workspace) -> None:
    answer = console.post(at(workspace), {})
    assert (answer.status_code, "Choose a file first" in pages.text(answer)) == (400, True)


def test_rolling_back_makes_a_new_version_with_the_old_content(console: Client, workspace: Workspace) -> None:
    form = pages.forms(console.get(at(workspace, 1)))[at(workspace, 1, "rollback")]
    answer = console.post(at(workspace, 1, "rollback"), form)
    assert (answer.status_code, answer["Location"]) == (303, at(workspace, 3))
    newest = StateVersion.objects.newest_of(workspace.pk)
    assert (
        newest is not None
        and json.loads(newest.content())["resources"] == json.loads(content(1, "kept", "gone"))["resources"]
    )


def test_the_newest_version_offers_no_way_back_to_itself(console: Client, workspace: Workspace) -> None:
    assert at(workspace, 2, "rollback") not in pages.forms(console.get(at(workspace, 2)))


def test_nothing_is_changed_while_a_task_runs(console: Client, workspace: Workspace) -> None:
    task = factories.running(factories.pending(workspace=workspace))
    for answer in (console.post(at(workspace, 1, "rollback")), upload(console, workspace, content(7))):
        assert (answer.status_code, f"Task {task.pk} runs" in pages.text(answer)) == (409, True)
    assert StateVersion.objects.count() == 2


def test_who_may_only_look_is_offered_nothing_and_refused(workspace: Workspace) -> None:
    eve = browser(rows.person("workspaces.view_workspace", "workspaces.view_stateversion"))
    assert at(workspace, 1, "rollback") not in pages.forms(eve.get(at(workspace, 1)))
    assert "Upload a state" not in pages.text(eve.get(at(workspace)))
    assert eve.post(at(workspace, 1, "rollback")).status_code == 403
    assert upload(eve, workspace, content(7)).status_code == 403
    assert StateVersion.objects.count() == 2


def test_a_large_state_is_left_to_the_api(
    console: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_of_states, "MOST_BYTES", 10)
    text = pages.text(console.get(at(workspace, 2)))
    assert "It is too large for a page" in text and "terraform_data.new" not in text
    assert console.post(at(workspace, 1, "rollback")).status_code == 303


def test_a_long_output_is_cut(console: Client, workspace: Workspace) -> None:
    long = content(3).replace(b'{"a": ["<b>"]}', b'"' + b"x" * 9_000 + b'END"')
    upload(console, workspace, long)
    text = pages.text(console.get(at(workspace, 3)))
    assert "the JSON has all of it" in text and "END" not in text


def test_a_version_that_is_not_there_is_not_found(console: Client, workspace: Workspace) -> None:
    assert console.get(at(workspace, 5)).status_code == 404
