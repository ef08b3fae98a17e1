"""Archives of configurations: stored as they came, given back so, and refused where the server sees that they are none."""

import hashlib
import io
import os
import tarfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from rest_framework.test import APIClient

from tests import archives, factories
from workspaces import archives as stored_archives
from workspaces import configurations, manifests
from workspaces.models import Configuration, ConfigurationPart, Workspace

ARCHIVE = archives.packed({"main.tf": factories.MAIN, "modules/a/x.tf": ""}, prefix="./")


def path(workspace: Workspace, rest: str = "") -> str:
    return f"/api/v1/workspaces/{workspace.pk}/configurations{rest}"


def upload(api: APIClient, workspace: Workspace, content: bytes = ARCHIVE, field: str = "archive", **more: Any) -> Any:
    """Return the answer to the upload of a form."""
    form = {field: SimpleUploadedFile("c.tgz", content, content_type="application/gzip"), **more}
    return api.post(path(workspace), form, format="multipart")


def send(api: APIClient, workspace: Workspace, body: Any, content_type: str) -> Any:
    """Return the answer to an upload of these bytes."""
    return api.generic("POST", path(workspace), body, content_type=content_type)


def content_of(answer: Any) -> bytes:
    return b"".join(answer)


@pytest.fixture(autouse=True)
def _nothing_is_left_of_what_was_refused(db: Any) -> Any:
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    stored = Configuration.objects.filter(kind="archive")
    assert {part.configuration_id for part in ConfigurationPart.objects.defer("content")} == {row.pk for row in stored}


def test_an_archive_is_a_version_like_any_other(api: APIClient, workspace: Workspace) -> None:
    api.post(path(workspace), {"files": {"main.tf": factories.MAIN}}, format="json")
    answer = upload(api, workspace)
    assert answer.status_code == 201, answer.json()
    shown = answer.json()
    assert (shown["number"], shown["kind"], shown["files"]) == (2, "archive", None)
    assert (shown["size"], shown["digest"]) == (len(ARCHIVE), hashlib.sha256(ARCHIVE).hexdigest())
    listed = api.get(path(workspace)).json()["results"]
    assert [(each["number"], each["kind"], each["created_by"]) for each in listed] == [
        (2, "archive", "ann"),
        (1, "files", "ann"),
    ]
    assert listed[1]["size"] == len(factories.MAIN)
    assert api.get(path(workspace, "/2")).json() == shown


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
def test_it_comes_back_as_it_came_in_pieces_of_a_mebibyte(api: APIClient, workspace: Workspace) -> None:
    content = archives.packed({"main.tf": factories.MAIN, "large.bin": os.urandom(2_500_000)})
    assert upload(api, workspace, content).status_code == 201
    sizes = [len(part.content) for part in ConfigurationPart.objects.order_by("number")]
    assert sizes == [1024**2, 1024**2, len(content) - 2 * 1024**2]
    answer = api.get(path(workspace, "/1/download"))
    assert (answer["Content-Type"], answer["Content-Length"]) == ("application/gzip", str(len(content)))
    assert f'filename="{workspace.pk}-v1.tar.gz"' in answer["Content-Disposition"]
    assert content_of(answer) == content


def test_a_download_is_what_it_is_whatever_is_asked_for(api: APIClient, workspace: Workspace) -> None:
    api.post(path(workspace), {"files": {"main.tf": "locals {}\n"}}, format="json")
    for accepted in ("application/gzip", "application/octet-stream", "*/*"):
        assert api.get(path(workspace, "/1/download"), HTTP_ACCEPT=accepted).status_code == 200
    assert api.get(path(workspace, "/7/download"), HTTP_ACCEPT="application/gzip").json()["status"] == 404


def test_texts_are_downloaded_as_a_tar_gz_too(api: APIClient, workspace: Workspace) -> None:
    files = {"main.tf": factories.MAIN, "modules/ä/x.tf": "# ö\n"}
    api.post(path(workspace), {"files": files}, format="json")
    first, again = (content_of(api.get(path(workspace, "/1/download"))) for _ in range(2))
    assert first == again
    with tarfile.open(fileobj=io.BytesIO(first)) as opened:
        found = {name: opened.extractfile(name) for name in opened.getnames()}
        unpacked = {name: file.read().decode() for name, file in found.items() if file}
    assert unpacked == files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty. Pack"),
        (b"PK\x03\x04 a zip file", "not compressed with gzip"),
        (b"\x1f\x8b", "not compressed with gzip"),
        (b"resource {}", "tar -czf"),
    ],
)
def test_what_is_no_gzip_is_refused_at_once(api: APIClient, workspace: Workspace, content: bytes, words: str) -> None:
    answer = upload(api, workspace, content)
    assert answer.status_code == 400 and words in answer.json()["errors"]["archive"][0], answer.json()
    assert not Configuration.objects.exists()


def test_the_largest_archive_is_a_setting(api: APIClient, workspace: Workspace, settings: Any) -> None:
    settings.CONFIGURATION_MAX_BYTES = len(ARCHIVE)
    assert upload(api, workspace).status_code == 201
    answer = upload(api, workspace, ARCHIVE + b"\0")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert f"{len(ARCHIVE):,} is the most" in answer.json()["detail"] and ".terraform" in answer.json()["detail"]
    assert Configuration.objects.count() == 1


def test_another_field_both_kinds_and_two_archives_are_refused(api: APIClient, workspace: Workspace) -> None:
    wrong = upload(api, workspace, field="file")
    assert wrong.status_code == 400 and "archive" in str(wrong.json()["errors"]), wrong.json()
    both = upload(api, workspace, files='{"main.tf": ""}')
    assert both.status_code == 400 and "not both" in both.json()["detail"]
    text = api.post(path(workspace), {"archive": "no file"}, format="multipart")
    assert text.status_code == 400 and "archive" in text.json()["errors"], text.json()
    two = api.post(path(workspace), {"archive": [SimpleUploadedFile("a", ARCHIVE)] * 2}, format="multipart")
    assert two.status_code == 400 and "one file" in two.json()["detail"]
    in_json = api.post(path(workspace), {"files": {"main.tf": ""}, "archive": "x"}, format="json")
    assert in_json.status_code == 400 and "archive" in in_json.json()["errors"]
    assert not Configuration.objects.exists()


def test_a_form_that_was_cut_is_refused(api: APIClient, workspace: Workspace) -> None:
    head = b'--cut\r\nContent-Disposition: form-data; name="archive"; filename="c.tgz"\r\n\r\n'
    kind = "multipart/form-data; boundary=cut"
    whole = head + ARCHIVE + b"\r\n--cut--\r\n"
    for body in (head + ARCHIVE[:50], head + ARCHIVE, whole[:-6]):
        answer = send(api, workspace, body, kind)
        assert answer.status_code == 400 and "cut" in answer.json()["detail"], answer.json()
    assert not Configuration.objects.exists()
    assert send(api, workspace, whole, kind).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_the_workspace_is_free_while_a_large_archive_is_stored(
    workspace: Workspace, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    free: list[str] = []
    keep = stored_archives.keep

    def watched(*given: Any) -> str:
        with ThreadPoolExecutor(1) as another:
            free.append(another.submit(_lock, workspace.pk).result())
        return keep(*given)

    monkeypatch.setattr(stored_archives, "keep", watched)
    configurations.store_archive(workspace, ContentFile(ARCHIVE), ann)
    assert free == [workspace.pk]


def _lock(pk: str) -> str:
    """Return the workspace's id if its row can be locked at once, by a connection of its own."""
    try:
        with transaction.atomic():
            return Workspace.objects.select_for_update(nowait=True).get(pk=pk).pk
    finally:
        connection.close()


def test_a_person_at_a_browser_may_upload_too(workspace: Workspace, ann: User) -> None:
    """Its session needs the token against forgery; to find that, Django reads the form before the view does."""
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(ann)
    assert upload(browser, workspace).status_code == 403
    browser.cookies["csrftoken"] = token = "a" * 32
    form = {"archive": SimpleUploadedFile("c.tgz", ARCHIVE)}
    answer = browser.post(path(workspace), form, format="multipart", headers={"X-CSRFToken": token})
    assert answer.status_code == 201, answer.json()


def test_a_body_that_is_neither_is_told_what_is_taken(api: APIClient, workspace: Workspace) -> None:
    answer = send(api, workspace, ARCHIVE, "application/gzip")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "curl -F archive=@" in answer.json()["detail"]


def test_seeing_versions_is_the_right_to_download_and_compare(workspace: Workspace, api: APIClient) -> None:
    upload(api, workspace)
    viewer = factories.client(factories.person("workspaces.view_workspace", "workspaces.view_configuration"))
    blind = factories.client(factories.person("workspaces.view_workspace"))
    for rest in ("/1", "/1/download", "/1/difference?from=1"):
        assert viewer.get(path(workspace, rest)).status_code in (200, 409), rest
        assert blind.get(path(workspace, rest)).status_code == 404, rest
    assert upload(viewer, workspace).status_code == 403
    assert api.get(path(workspace, "/2/download")).status_code == 404
    other = factories.workspace()
    assert api.get(path(other, "/1/download")).status_code == 404


def test_what_is_stored_never_changes(api: APIClient, workspace: Workspace) -> None:
    upload(api, workspace)
    manifests.keep(Configuration.objects.get(), [])
    for change in (
        "manifest SET entries = '[1]'",
        "configurationpart SET content = ''",
        "configuration SET size = 1",
        "configuration SET kind = 'files'",
    ):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE workspaces_{change}")


@pytest.mark.parametrize(
    "columns", [{"kind": "archive", "files": {}}, {"kind": "archive", "size": 0}, {"kind": "files", "files": None}]
)
def test_a_version_is_texts_or_an_archive(workspace: Workspace, columns: dict[str, Any]) -> None:
    known = {"workspace": workspace, "number": 1, "digest": "0" * 64, "size": 1}
    with pytest.raises(DatabaseError, match="configuration_is_files_or_an_archive"), transaction.atomic():
        Configuration.objects.create(**{**known, **columns})


def test_a_workspace_goes_with_its_archives(api: APIClient, workspace: Workspace) -> None:
    upload(api, workspace)
    assert api.delete(f"/api/v1/workspaces/{workspace.pk}").status_code == 204
    assert not ConfigurationPart.objects.exists()
