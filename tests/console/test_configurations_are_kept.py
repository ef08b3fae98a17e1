"""The pages of configurations: archives are uploaded by form, versions downloaded, and what changed is shown."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests import archives
from tests import factories as rows
from tests.console import pages
from workspaces import configurations, manifests
from workspaces.models import Configuration, Workspace

MAIN = rows.MAIN
ARCHIVE = archives.packed({"main.tf": MAIN})


@pytest.fixture
def workspace(db: None) -> Workspace:
    return rows.workspace()


def address(workspace: Workspace, rest: str = "") -> str:
    return f"/workspaces/{workspace.pk}/configurations{rest}"


def upload(console: Client, workspace: Workspace, content: bytes | None) -> Any:
    file = {} if content is None else {"archive": SimpleUploadedFile("c.tgz", content)}
    return console.post(address(workspace), {"kind": "archive", **file})


def test_an_archive_is_uploaded_and_listed_for_download(console: Client, workspace: Workspace) -> None:
    answer = upload(console, workspace, ARCHIVE)
    assert answer.status_code == 303
    stored = Configuration.objects.get()
    assert (stored.kind, stored.size) == ("archive", len(ARCHIVE))
    listed = console.get(address(workspace))
    assert "v1 archive" in pages.text(listed)
    assert f'href="/api/v1{address(workspace)}/1/download"' in listed.content.decode()
    assert "Nobody has unpacked version 1 yet" in pages.text(console.get(address(workspace, "/1")))


@pytest.mark.parametrize(("content", "words"), [(None, "Choose an archive first"), (b"", "empty"), (b"PK\3\4", "gzip")])
def test_what_is_no_archive_is_refused_in_words(
    console: Client, workspace: Workspace, content: bytes | None, words: str
) -> None:
    answer = upload(console, workspace, content)
    assert answer.status_code == 400 and words in pages.text(answer), pages.text(answer)
    assert not Configuration.objects.exists()


def test_the_form_does_not_begin_with_an_archive(console: Client, workspace: Workspace) -> None:
    upload(console, workspace, ARCHIVE)
    assert console.get(address(workspace)).status_code == 200


def test_what_changed_is_shown_line_by_line(console: Client, workspace: Workspace) -> None:
    for value in ("1", "2", "3"):
        configurations.store(workspace, {"main.tf": MAIN.replace("1", value)}, rows.admin())
    shown = pages.text(console.get(address(workspace, "/3/difference")))
    assert "What changed from v2 to v3" in shown and "- input = 2 + input = 3" in shown
    assert "- input = 1 + input = 3" in pages.text(console.get(address(workspace, "/3/difference?from=1")))
    assert "both hold the same files" in pages.text(console.get(address(workspace, "/3/difference?from=3")))
    for wrong in (
        "/1/difference",
        "/3/difference?from=x",
        "/3/difference?from=9",
        "/9/difference",
        "/2/difference?from=²",
    ):
        assert (wrong, console.get(address(workspace, wrong)).status_code) == (wrong, 404)


def test_what_lies_in_an_archive_is_shown_once_it_is_known(console: Client, workspace: Workspace) -> None:
    configurations.store(workspace, {"main.tf": MAIN}, rows.admin())
    upload(console, workspace, ARCHIVE)
    assert "Nobody has unpacked version 2 yet" in pages.text(console.get(address(workspace, "/2/difference")))
    told = [{"path": "<b>.tf", "size": 10, "sha256": "ab" * 32}]
    manifests.keep(Configuration.objects.get(number=2), told)
    assert "<b>.tf 10" in pages.text(console.get(address(workspace, "/2")))
    shown = pages.text(console.get(address(workspace, "/2/difference")))
    assert "<b>.tf added" in shown and "main.tf removed" in shown and "abababababab after" in shown
    assert "compared by path and digest" in shown


def test_the_long_list_of_an_archive_has_an_end(console: Client, workspace: Workspace) -> None:
    upload(console, workspace, ARCHIVE)
    told = [{"path": f"f{number}", "size": 1, "sha256": "0" * 64} for number in range(205)]
    manifests.keep(Configuration.objects.get(), told)
    assert "And 5 more" in pages.text(console.get(address(workspace, "/1")))


def test_who_may_not_see_versions_sees_none(console: Client, workspace: Workspace) -> None:
    for _ in range(2):
        configurations.store(workspace, {"main.tf": MAIN}, rows.admin())
    stranger = Client()
    stranger.force_login(rows.person("workspaces.view_workspace"))
    for rest in ("/2", "/2/difference"):
        assert (rest, stranger.get(address(workspace, rest)).status_code) == (rest, 404)
