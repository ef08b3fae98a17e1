"""Configurations in the API: what is stored as a version, and what is refused with file and line."""

import hashlib
import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from rest_framework.test import APIClient

from tests import factories
from workspaces.models import Configuration, Workspace

MAIN = factories.MAIN


def upload(api: APIClient, workspace: Workspace, files: Any) -> Any:
    """Return the answer to an upload."""
    return api.post(f"/api/v1/workspaces/{workspace.pk}/configurations", {"files": files}, format="json")


def test_versions_are_numbered_and_keep_their_files(api: APIClient, workspace: Workspace) -> None:
    first = upload(api, workspace, {"main.tf": MAIN, "modules/a/x.tf": "", "notes.txt": "ä"})
    second = upload(api, workspace, {"main.tf": MAIN})
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.json()["number"], second.json()["number"]) == (1, 2)
    canonical = json.dumps({"main.tf": MAIN}, sort_keys=True, separators=(",", ":"))
    assert second.json()["digest"] == hashlib.sha256(canonical.encode()).hexdigest()
    listed = api.get(f"/api/v1/workspaces/{workspace.pk}/configurations").json()["results"]
    assert [each["number"] for each in listed] == [2, 1] and "files" not in listed[0]
    shown = api.get(f"/api/v1/workspaces/{workspace.pk}/configurations/1").json()
    assert shown["files"]["notes.txt"] == "ä" and shown["created_by"] == "ann"


def test_a_file_that_is_no_text_is_refused(api: APIClient, workspace: Workspace) -> None:
    answer = upload(api, workspace, {"main.tf": MAIN, "count.txt": 5})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"files": ["5 is not a text."]})
    assert not Configuration.objects.exists()


def test_a_version_never_changes(api: APIClient, workspace: Workspace) -> None:
    upload(api, workspace, {"main.tf": MAIN})
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE workspaces_configuration SET files = '{}'")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('resource "a" "b" {\n', 1),
        ("locals {\n  a = 1\n  b = = 2\n}\n", 3),
        ('locals {\n  a = "open\n}\n', 2),
        ("locals {\n  a = [1 2]\n}\n", 2),
        ("x = <<EOT\nnever ends\n", 1),
        ("locals {\n  a = (1]\n}\n", 2),
        ("/* no end", 1),
        ("}", 1),
    ],
)
def test_hcl_that_does_not_parse_is_refused_with_file_and_line(
    api: APIClient, workspace: Workspace, text: str, line: int
) -> None:
    answer = upload(api, workspace, {"main.tf": MAIN, "broken.tf": text})
    assert answer.status_code == 400
    assert answer.json()["errors"]["files.broken.tf"][0].startswith(f"broken.tf line {line}:"), answer.json()
    assert not Configuration.objects.exists()


def test_json_syntax_is_judged_as_json(api: APIClient, workspace: Workspace) -> None:
    good = '{"resource": {"terraform_data": {"one": {}}}}'
    assert upload(api, workspace, {"main.tf.json": good}).status_code == 201
    answer = upload(api, workspace, {"main.tf.json": '{\n "resource": }'})
    assert answer.status_code == 400 and "main.tf.json line 2" in answer.json()["detail"]


def test_only_the_working_directory_has_to_parse(api: APIClient) -> None:
    workspace = factories.workspace(working_directory="live")
    assert upload(api, workspace, {"live/main.tf": MAIN, "examples/broken/main.tf": "{"}).status_code == 201
    assert upload(api, workspace, {"live/main.tf": "{"}).status_code == 400
    answer = upload(api, workspace, {"main.tf": MAIN})
    assert answer.status_code == 400 and "working directory live" in answer.json()["detail"]


def test_the_engine_has_to_find_a_file(api: APIClient, workspace: Workspace) -> None:
    assert "ends in .tf" in upload(api, workspace, {"README.md": "x"}).json()["detail"]
    assert upload(api, workspace, {"main.tofu": MAIN}).status_code == 400
    assert upload(api, factories.workspace(engine="tofu"), {"main.tofu": MAIN}).status_code == 201


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd.tf",
        "../main.tf",
        "a/../main.tf",
        "a/./b.tf",
        "a//b.tf",
        "./main.tf",
        "a\\b.tf",
        "a\nb.tf",
        ".terraform/x.tf",
        "a/.terraform/modules/x.tf",
        "",
        "/".join("a" * 40) + ".tf",
        "a" * 600 + ".tf",
        "folder/",
        "\ud800.tf",
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(api: APIClient, workspace: Workspace, path: str) -> None:
    body = json.dumps({"files": {"main.tf": MAIN, path: ""}})
    answer = api.post(
        f"/api/v1/workspaces/{workspace.pk}/configurations", body.encode(), content_type="application/json"
    )
    assert answer.status_code == 400 and answer.json()["detail"], answer.content


def test_a_file_is_no_folder_too(api: APIClient, workspace: Workspace) -> None:
    assert "cannot be a folder" in upload(api, workspace, {"main.tf": MAIN, "main.tf/x": ""}).json()["detail"]


@pytest.mark.parametrize(
    "files", [{}, [], "x", None, {"main.tf": None}, {"main.tf": {}}, {"main.tf": "a\0b"}, {"main.tf": 5.5}]
)
def test_what_are_no_files_is_refused(api: APIClient, workspace: Workspace, files: Any) -> None:
    answer = upload(api, workspace, files)
    assert answer.status_code == 400 or files == {"main.tf": 5.5}


@pytest.mark.parametrize(
    "name", ["errored.tfstate", "a/Errored.tfstate", "IACPLATFORM_backend_override.tf", ".terraform.tfstate.lock.info"]
)
def test_a_file_that_agent_or_engine_write_themselves_is_refused(
    api: APIClient, workspace: Workspace, name: str
) -> None:
    answer = upload(api, workspace, {"main.tf": MAIN, name: "{}"})
    assert answer.status_code == 400 and [*answer.json()["errors"]] == [f"files.{name}"]


def test_text_is_kept_to_the_last_character(api: APIClient, workspace: Workspace) -> None:
    text = "\n# a comment  \n" + MAIN + "   \n\n"
    assert upload(api, workspace, {"main.tf": text}).json()["files"]["main.tf"] == text
